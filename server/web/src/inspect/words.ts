/** Every word of the inspector in Chinese and in English. */
import type { Language } from "../api";

const words = {
  title: { zh: "瓦片检查", en: "Tile inspector" },
  other: { zh: "English", en: "中文" },
  layers: { zh: "图层", en: "Layers" },
  tiles: { zh: "屏幕上的瓦片", en: "Tiles on screen" },
  outlines: { zh: "显示瓦片边框与大小", en: "Show outlines and sizes" },
  tile: { zh: "瓦片", en: "Tile" },
  layer: { zh: "图层", en: "Layer" },
  sent: { zh: "传输", en: "Sent" },
  whole: { zh: "解压后", en: "Unpacked" },
  time: { zh: "用时", en: "Time" },
  sum: {
    zh: "{n} 个瓦片，传输 {sent}，解压后 {whole}",
    en: "{n} tiles, {sent} sent, {whole} unpacked",
  },
  thinned: { zh: "抽稀：{how}", en: "thinned: {how}" },
  empty: { zh: "空", en: "empty" },
  filter: { zh: "过滤（CQL2），只对勾选的图层", en: "Filter (CQL2) on the layers that are on" },
  go: { zh: "应用", en: "Apply" },
  clear: { zh: "清除", en: "Clear" },
  example: { zh: "例如 category = 'sewage'", en: "for example category = 'sewage'" },
  picked: { zh: "点击处的要素", en: "Features where you clicked" },
  nothing: { zh: "点击地图查看要素属性。", en: "Click the map to see the properties of features." },
  none: { zh: "此处没有要素。", en: "There is no feature here." },
  map: { zh: "地图", en: "Map" },
  docs: { zh: "接口说明", en: "API reference" },
  collections: { zh: "数据", en: "Data" },
  failed: { zh: "服务器没有给出图层目录：{why}", en: "The server did not give its layers: {why}" },
  unready: { zh: "数据未就绪", en: "no data yet" },
} as const;

export type Key = keyof typeof words;

export function say(
  language: Language,
  key: Key,
  values: Readonly<Record<string, string>> = {},
): string {
  return words[key][language].replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
