/** The time bar: one month at a time, by play, step, slider or arrow keys; or all months together. */
import { useEffect, useState } from "preact/hooks";
import type { Months } from "./api";
import { reducedMotion } from "./citystyle";
import { month as monthName, number, say, type PlainKey } from "./language";
import { MonthBars } from "./monthbars";
import { monthTotals } from "./months";
import type { State, Store } from "./state";

const PLAY_MS = 1000;
const PLAY_SLOWLY_MS = 2500;

const ICONS = {
  play: "M4 2.5v11l9-5.5z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  back: "M11 3v10L5 8zM4 3h1.5v10H4z",
  forward: "M5 3v10l6-5zM10.5 3H12v10h-1.5z",
} as const;

interface Props {
  readonly months: Months;
  readonly state: State;
  readonly store: Store;
}

function IconButton(props: {
  icon: keyof typeof ICONS;
  name: string;
  disabled?: boolean;
  onClick: () => void;
}) {
  return (
    <button
      type="button"
      class="quiet icon"
      data-icon={props.icon}
      aria-label={props.name}
      title={props.name}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
        <path d={ICONS[props.icon]} fill="currentColor" />
      </svg>
    </button>
  );
}

/** The month in words, with a mark where the data do not cover it to its end. */
function monthText({ months, state }: Props): string {
  const { language, month } = state;
  if (month === null) return say(language, "allMonths");
  const name = monthName(month, language);
  const complete = months.complete[months.months.indexOf(month)] ?? true;
  return complete ? name : say(language, "partialMonth", { month: name });
}

interface Steps {
  readonly playing: boolean;
  readonly togglePlay: () => void;
  readonly go: (index: number) => void;
}

/** Going through the months, by hand or by itself; showing all months ends the playing. */
function useSteps({ months, state, store }: Props, at: number, last: number): Steps {
  const [playing, setPlaying] = useState(false);
  const go = (index: number) => {
    const month = months.months[Math.max(0, Math.min(last, index))] ?? null;
    store.update({ month }, state.month === null ? "step" : "movement");
  };
  useEffect(() => {
    if (!playing) return;
    const next = () => {
      const now = months.months.indexOf(store.state.month ?? "");
      if (now >= last) setPlaying(false);
      else store.update({ month: months.months[now + 1]! }, "movement");
    };
    const timer = window.setInterval(next, reducedMotion() ? PLAY_SLOWLY_MS : PLAY_MS);
    return () => window.clearInterval(timer);
  }, [playing, months, store]);
  useEffect(() => {
    if (state.month === null) setPlaying(false);
  }, [state.month]);
  const togglePlay = () => {
    if (!playing && (at < 0 || at === last)) go(0);
    setPlaying(!playing);
  };
  return { playing, togglePlay, go };
}

interface TrackProps extends Props {
  readonly totals: readonly number[];
  readonly at: number;
  readonly onMonth: (index: number) => void;
}

function Track({ totals, at, onMonth, ...props }: TrackProps) {
  const { months, state } = props;
  const { language, month } = state;
  const last = months.months.length - 1;
  return (
    <div class="timeline-track">
      <MonthBars counts={totals} months={months} chosen={month} language={language} height={28} />
      <input
        type="range"
        id="month"
        min={0}
        max={last}
        value={at < 0 ? last : at}
        data-off={at < 0}
        aria-label={say(language, "month")}
        aria-valuetext={monthText(props)}
        onInput={(event) => onMonth(Number(event.currentTarget.value))}
      />
    </div>
  );
}

export function Timeline(props: Props) {
  const { months, state, store } = props;
  const { language } = state;
  const last = months.months.length - 1;
  const at = state.month === null ? -1 : months.months.indexOf(state.month);
  const { playing, togglePlay, go } = useSteps(props, at, last);
  const playKey: PlainKey = playing ? "pause" : "play";
  const totals = monthTotals(months);
  const step = (icon: "back" | "forward", key: PlainKey, to: number, disabled: boolean) => (
    <IconButton icon={icon} name={say(language, key)} disabled={disabled} onClick={() => go(to)} />
  );
  return (
    <section class="timeline" id="timeline" aria-label={say(language, "timeline")}>
      <IconButton icon={playKey} name={say(language, playKey)} onClick={togglePlay} />
      {step("back", "previousMonth", at - 1, at <= 0)}
      <Track {...props} totals={totals} at={at} onMonth={go} />
      {step("forward", "nextMonth", at + 1, at === last)}
      <p class="timeline-text" id="month-text">
        <strong>{monthText(props)}</strong>
        <span>
          {at < 0 ? "" : say(language, "incidents", { n: number(totals[at] ?? 0, language) })}
        </span>
      </p>
      <button
        type="button"
        class="quiet"
        id="all-months"
        aria-pressed={state.month === null}
        onClick={() => store.update({ month: null })}
      >
        {say(language, "allShort")}
      </button>
    </section>
  );
}
