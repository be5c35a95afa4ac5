/** Keeps list and numbers as the filters say, and takes in what others do, without moving what is being read. */
import { useEffect, useRef } from "preact/hooks";
import { ApiError } from "../api";
import type { Asking } from "./asking";
import { listen } from "./news";
import { asked, belongs, type DeskState, type DeskStore } from "./state";
import type { News } from "./types";
import type { DeskKey } from "./words";

const PAGE = 50;
const CLOCKS_MS = 60_000;
const COUNTS_MS = 800;

export interface Queue {
  readonly reload: () => void;
  readonly more: () => void;
}

interface Parts {
  readonly asking: Asking;
  readonly store: DeskStore;
  readonly state: DeskState;
  readonly openStates: readonly string[];
  readonly onLeave: (why?: DeskKey) => void;
  readonly onChange: () => void;
}

function pageQuery({ filters, order }: DeskState, limit: number): URLSearchParams {
  const query = asked(filters);
  query.set("order", order);
  query.set("limit", String(limit));
  return query;
}

export function useQueue({ asking, store, state, openStates, onLeave, onChange }: Parts): Queue {
  const asking_ = useRef<AbortController | null>(null);
  const counting = useRef(0);

  const failed = (error: unknown) => {
    if (error instanceof ApiError && error.status === 401) onLeave("keyWithdrawn");
    else store.update({ failed: error, loading: null }, "movement");
  };

  const count = () => {
    window.clearTimeout(counting.current);
    counting.current = window.setTimeout(() => {
      asking.counts(asked(store.state.filters)).then(
        (counts) => store.update({ counts }, "movement"),
        (error: unknown) => console.warn(error),
      );
    }, COUNTS_MS);
  };

  const reload = () => {
    asking_.current?.abort();
    const now = (asking_.current = new AbortController());
    store.update({ loading: "first", failed: null, fresh: [], gone: [] }, "movement");
    const query = pageQuery(store.state, PAGE);
    const both = [
      asking.cases(query, now.signal),
      asking.counts(asked(store.state.filters), now.signal),
    ] as const;
    Promise.all(both).then(
      ([{ cases, next }, counts]) =>
        store.update({ rows: cases, next, counts, loading: null }, "movement"),
      (error: unknown) => now.signal.aborted || failed(error),
    );
  };

  const more = () => {
    const { next, loading } = store.state;
    if (!next || loading) return;
    store.update({ loading: "more" }, "movement");
    const query = pageQuery(store.state, PAGE);
    query.set("after", next);
    asking.cases(query).then(({ cases, next: then }) => {
      const known = new Set(store.state.rows.map(({ case_id }) => case_id));
      const rows = [...store.state.rows, ...cases.filter(({ case_id }) => !known.has(case_id))];
      store.update({ rows, next: then, loading: null }, "movement");
    }, failed);
  };

  /** The clocks of the cases in sight go on; the list stays as it is. */
  const tick = () => {
    const ids = store.state.rows.slice(0, 200).map(({ case_id }) => case_id);
    if (ids.length === 0 || document.hidden) return;
    const query = new URLSearchParams({ case: ids.join(","), limit: "200" });
    asking.cases(query).then(
      ({ cases }) => cases.forEach((row) => store.replace(row)),
      (error: unknown) => console.warn(error),
    );
  };

  const hear = (news: News) => {
    if (news.event === "hello") return;
    if (news.event === "reload") return reload();
    count();
    onChange();
    const { rows, fresh, gone, selected, turn, filters } = store.state;
    const id = news.event === "gone" ? news.data.case_id : news.data.case.case_id;
    if (id === selected) store.update({ turn: turn + 1 }, "movement");
    if (news.event === "gone") {
      if (rows.some(({ case_id }) => case_id === id))
        store.update({ gone: [...gone, id] }, "movement");
      store.update({ fresh: fresh.filter((each) => each !== id) }, "movement");
      return;
    }
    const row = news.data.case;
    if (rows.some(({ case_id }) => case_id === id)) {
      store.replace(row);
      tickOne(id);
    } else if (belongs(row, filters, openStates)) {
      if (!fresh.includes(id)) store.update({ fresh: [...fresh, id] }, "movement");
    } else if (fresh.includes(id)) {
      store.update({ fresh: fresh.filter((each) => each !== id) }, "movement");
    }
  };

  const tickOne = (id: string) => {
    asking.cases(new URLSearchParams({ case: id })).then(
      ({ cases }) => cases.forEach((row) => store.replace(row)),
      (error: unknown) => console.warn(error),
    );
  };

  const { filters, order } = state;
  useEffect(reload, [filters, order]);
  useEffect(() => {
    const stop = listen(asking.headers, {
      onNews: hear,
      onLine: (line) => {
        if (line === "refused") onLeave("keyWithdrawn");
        else store.update({ line }, "movement");
      },
    });
    const ticking = window.setInterval(tick, CLOCKS_MS);
    return () => {
      stop();
      window.clearInterval(ticking);
      window.clearTimeout(counting.current);
      asking_.current?.abort();
    };
  }, [asking, store]);
  return { reload, more };
}
