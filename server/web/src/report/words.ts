/** The phone page's words, in both languages. */
import { sayer, type PlainKeyOf } from "../language";

const words = {
  title: { zh: "随手报", en: "Report" },
  documentTitle: { zh: "随手报：发现问题，马上上报", en: "Report a problem in the city" },
  retry: { zh: "重试", en: "Try again" },
  close: { zh: "关闭", en: "Close" },
  openFailed: { zh: "页面打不开：{said}。", en: "The page cannot be opened: {said}." },
  noCasework: {
    zh: "这台服务器不接收上报。",
    en: "This server takes no reports.",
  },

  map: {
    zh: "地图：拖动地图，让图钉对准问题所在；方向键移动，加减键缩放",
    en: "Map: drag it so that the pin is on the problem; arrow keys move, plus and minus zoom",
  },
  noWebgl: {
    zh: "这个浏览器不能显示地图；位置取自定位。",
    en: "This browser cannot draw the map; the position comes from the receiver.",
  },
  locate: { zh: "回到我的位置", en: "Back to where I am" },
  seeking: { zh: "正在定位…", en: "Looking for your position…" },
  denied: {
    zh: "没有定位权限：请拖动地图，让图钉对准问题。",
    en: "No permission for your position: drag the map until the pin is on the problem.",
  },
  unavailable: {
    zh: "定位不到：请拖动地图，让图钉对准问题。",
    en: "Your position cannot be found: drag the map until the pin is on the problem.",
  },
  accuracy: { zh: "定位，误差约 {m} 米", en: "Your position, within about {m} m" },
  byMap: { zh: "图钉由你在地图上放置", en: "The pin was placed on the map" },
  byPhoto: { zh: "位置取自照片", en: "The place comes from the photo" },
  coarse: {
    zh: "误差较大，请在地图上核对",
    en: "That is coarse: check it on the map",
  },
  outside: {
    zh: "这里在城市的网格之外；仍可上报，由平台核实。",
    en: "This is outside the city's grid; you can report it, and the platform will check it.",
  },
  hereOffline: {
    zh: "没有网络：责任单位和时限在发送后告知。",
    en: "No network: the owner and the deadline will be known once it is sent.",
  },
  hereFailed: {
    zh: "没有查到这里的归属：{said}。",
    en: "What holds here could not be found: {said}.",
  },
  nowhere: { zh: "还没有位置", en: "No place yet" },

  photo: { zh: "照片", en: "Photo" },
  takePhoto: { zh: "拍照", en: "Take a photo" },
  choosePhoto: { zh: "从相册选", en: "Choose one" },
  onePhoto: { zh: "第 {n} 张照片", en: "Photo {n}" },
  removePhoto: { zh: "删除第 {n} 张照片", en: "Remove photo {n}" },
  readingPhoto: { zh: "正在处理照片…", en: "Reading the photo…" },
  photoUnreadable: {
    zh: "这部手机读不了这张照片的格式（{type}）；请直接拍照，或选一张 JPEG。",
    en: "This phone cannot read the photo's format ({type}); take one here, or choose a JPEG.",
  },
  photoTooMany: { zh: "最多 {n} 张照片。", en: "{n} photos at most." },
  photoAway: {
    zh: "照片拍摄于距图钉 {distance} 处。",
    en: "The photo was taken {distance} from the pin.",
  },
  usePhotoPlace: { zh: "用照片的位置", en: "Use the photo's place" },
  keepPin: { zh: "保留图钉", en: "Keep the pin" },
  photoNoPlace: {
    zh: "照片里没有位置，以图钉为准。",
    en: "The photo names no place; the pin counts.",
  },

  classTitle: { zh: "什么问题？", en: "What is wrong?" },
  allClasses: { zh: "全部 {n} 类", en: "All {n} classes" },
  searchClasses: { zh: "搜索类别", en: "Search the classes" },
  noClassFound: { zh: "没有叫“{text}”的类别。", en: "No class is called “{text}”." },
  clearSearch: { zh: "清除搜索", en: "Clear the search" },
  classesFound: { zh: "找到 {n} 类", en: "{n} classes found" },

  note: { zh: "说明（可不填）", en: "Note (optional)" },
  notePlaceholder: { zh: "例如：就在公交站后面", en: "For example: right behind the bus stop" },
  details: { zh: "补充信息", en: "More about it" },
  required: { zh: "必填", en: "required" },
  choose: { zh: "请选择", en: "Choose" },

  facts: { zh: "由谁、何时处置", en: "Who settles it, and when" },
  cell: { zh: "网格", en: "Grid cell" },
  owner: { zh: "责任单位", en: "Owner" },
  deadline: { zh: "时限", en: "Deadline" },
  by: { zh: "{time} 前", en: "by {time}" },
  noOwner: { zh: "由平台指派", en: "The platform will name one" },
  noDeadline: { zh: "没有规定时限", en: "None is laid down" },
  provisional: { zh: "暂定", en: "provisional" },

  nearby: { zh: "附近可能是同一个问题", en: "Near here, perhaps the same" },
  nearbyLine: { zh: "{distance} · {ago}", en: "{distance} · {ago}" },
  same: { zh: "同一个", en: "The same" },
  notSame: { zh: "不是", en: "Undo" },
  markedSame: {
    zh: "发送时注明与 {id} 是同一个问题。",
    en: "It will be sent as the same as {id}.",
  },
  moreNearby: { zh: "还有 {n} 条", en: "{n} more" },

  send: { zh: "发送", en: "Send" },
  sendLater: { zh: "存下，有网即发", en: "Keep and send later" },
  needClass: { zh: "先选问题的类别。", en: "Choose what is wrong first." },
  needPlace: {
    zh: "还没有位置：请等待定位，或拖动地图放置图钉。",
    en: "There is no place yet: wait for your position, or drag the map to place the pin.",
  },
  needDetail: { zh: "还缺：{what}。", en: "Still missing: {what}." },
  refused_place: {
    zh: "位置不对：请把图钉重新放到问题所在。",
    en: "The place cannot be right: put the pin on the problem again.",
  },
  refused_class: {
    zh: "这座城市没有这个类别：请重新选择。",
    en: "The city has no such class: choose it again.",
  },
  refused_note: {
    zh: "说明太长，或有不能保存的字符：请改短或重写。",
    en: "The note is too long, or has signs that cannot be kept: shorten it or write it again.",
  },
  refused_photos: {
    zh: "照片没有收到：请删除后重新添加。",
    en: "The photos did not arrive: remove them and add them again.",
  },
  refused_contact: {
    zh: "联系方式太长，或有不能保存的字符：请在设置里修改。",
    en: "How to reach you is too long, or has signs that cannot be kept: change it in the settings.",
  },
  refused_answer: {
    zh: "这个回答不合要求：请重新填写。",
    en: "This is no answer to the question: fill it in again.",
  },
  refused_other: {
    zh: "有一项内容（{field}）不合要求：请刷新页面后再发。",
    en: "One part of it ({field}) does not fit: load the page again and send it once more.",
  },
  refusedHere: { zh: "这一项没有被接受：{said}", en: "This was not accepted: {said}" },

  doneSent: { zh: "已发送", en: "Sent" },
  doneWaiting: { zh: "已存在手机里", en: "Kept on this phone" },
  doneWaitingText: {
    zh: "有网络时自动发送，不必一直开着这个页面。",
    en: "It is sent by itself once there is a network; the page need not stay open.",
  },
  doneSending: { zh: "正在发送…", en: "Sending…" },
  doneRefused: { zh: "没有被接受", en: "Not accepted" },
  caseNumber: { zh: "案件编号", en: "Case number" },
  repeated: {
    zh: "服务器此前已收到这条上报，没有重复立案。",
    en: "The server had this report already; it was not filed twice.",
  },
  another: { zh: "再报一条", en: "Report another" },
  correct: { zh: "修改", en: "Correct it" },

  outbox: { zh: "我的上报", en: "My reports" },
  outboxCount: { zh: "我的上报，{n} 条未发送", en: "My reports, {n} not sent" },
  outboxEmpty: { zh: "还没有上报。", en: "Nothing has been reported yet." },
  stateDraft: { zh: "草稿", en: "Draft" },
  stateWaiting: { zh: "待发送", en: "Waiting" },
  stateSending: { zh: "发送中", en: "Sending" },
  stateSent: { zh: "已发送", en: "Sent" },
  stateRefused: { zh: "未被接受", en: "Refused" },
  sendNow: { zh: "立即发送", en: "Send now" },
  edit: { zh: "修改", en: "Edit" },
  goOn: { zh: "继续填写", en: "Go on" },
  remove: { zh: "删除", en: "Delete" },
  removeSure: { zh: "确定删除？", en: "Delete for good?" },
  noClassYet: { zh: "未选类别", en: "No class yet" },
  offline: { zh: "没有网络，上报会先存下", en: "No network: reports are kept until there is" },

  settings: { zh: "设置", en: "Settings" },
  language: { zh: "语言", en: "Language" },
  colours: { zh: "颜色", en: "Colours" },
  coloursSystem: { zh: "跟随系统", en: "As the system" },
  coloursLight: { zh: "浅色", en: "Light" },
  coloursDark: { zh: "深色", en: "Dark" },
  workerKey: { zh: "工作人员密钥", en: "Key for staff" },
  workerKeyText: {
    zh: "只存在这部手机里，随上报发送；不填则以公众身份上报。",
    en: "Kept on this phone only and sent with each report; without one you report as the public.",
  },
  keyKnown: { zh: "密钥有效：{who}", en: "The key is good: {who}" },
  keyUnknown: { zh: "服务器不认识这个密钥。", en: "The server does not know this key." },
  keyUnchecked: {
    zh: "已保存；连上网络后使用。",
    en: "Saved; it is used once there is a network.",
  },
  contact: { zh: "怎么联系你（可不填）", en: "How to reach you (optional)" },
  contactText: {
    zh: "只给处置单位，不公开。",
    en: "Only for the office that settles it, never published.",
  },
  name: { zh: "称呼", en: "Name" },
  phone: { zh: "电话", en: "Phone" },
  save: { zh: "保存", en: "Save" },
  saved: { zh: "已保存。", en: "Saved." },
  install: { zh: "装到主屏幕", en: "Install on the home screen" },
  ready: {
    zh: "没有网络也能用，版本 {version}。",
    en: "Works without a network, version {version}.",
  },
  notReady: {
    zh: "离线功能还没有就绪。",
    en: "Offline use is not ready yet.",
  },
  insecure: {
    zh: "页面不是经 HTTPS 打开的：浏览器不给定位，也不能离线使用。",
    en: "The page was not opened over HTTPS: the browser gives no position and nothing works offline.",
  },
  theMap: { zh: "城市地图", en: "The city's map" },

  update: { zh: "有新版本。", en: "There is a new version." },
  updateNow: { zh: "更新", en: "Update" },
  updateKeeps: { zh: "草稿会保留", en: "Your draft is kept" },
  full: {
    zh: "手机空间不足，这条没有存下：离开页面前请发送，或删除已发送的上报。",
    en: "The phone is full, so this is not kept: send it before you leave, or delete sent reports.",
  },
  noStorage: {
    zh: "这个浏览器不让页面存东西：离开页面前请发送。",
    en: "This browser lets the page keep nothing: send before you leave.",
  },
  restored: { zh: "接着上次的草稿", en: "Your draft, as you left it" },
  startOver: { zh: "另起一条", en: "Start a new one" },

  metres: { zh: "{n} 米", en: "{n} m" },
  kilometres: { zh: "{n} 公里", en: "{n} km" },
} as const;

export const say = sayer<typeof words>(words);
export type Key = PlainKeyOf<typeof words>;
