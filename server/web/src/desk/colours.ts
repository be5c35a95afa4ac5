/** The colours of cases, which the server names: one hue whose depth says how far a case is; overdue alone stands out. */
import { nightColour } from "../night";
import type { Theme } from "../state";
import type { Holder } from "./types";

const worn = (colour: string, theme: Theme): string =>
  theme === "dark" ? nightColour(colour) : colour;

export const lateColour = ({ overdue_colour }: Holder, theme: Theme): string =>
  worn(overdue_colour, theme);

/** The colour of each state. */
export const stateColours = ({ life_cycle }: Holder, theme: Theme): ReadonlyMap<string, string> =>
  new Map(life_cycle.states.map(({ id, colour }) => [id, worn(colour, theme)]));
