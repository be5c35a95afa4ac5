/** The colours of a case: one hue whose depth says how far it is from being settled; overdue alone stands out. */
import type { Theme } from "../state";

type Shade = Readonly<Record<Theme, string>>;

export const LATE: Shade = { light: "#b83a1b", dark: "#ff9b7a" };

const DEPTHS: readonly Shade[] = [
  { light: "#17385c", dark: "#dcebfa" },
  { light: "#336190", dark: "#b3d0ee" },
  { light: "#5f8dba", dark: "#84afd8" },
  { light: "#93b6d6", dark: "#5886b0" },
  { light: "#c3d6e8", dark: "#365a7d" },
];

/** How far each state is; those that a city adds are in the middle. */
export const STATES: Readonly<Record<string, number>> = {
  reported: 0,
  filed: 1,
  dispatched: 2,
  suspended: 2,
  appealed: 1,
  handled: 3,
  feedback: 3,
  verified: 3,
  closed: 4,
  void: 4,
};

export const stateColour = (state: string, theme: Theme): string =>
  DEPTHS[STATES[state] ?? 2]![theme];
