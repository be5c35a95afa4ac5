/** The page's signs, one line each, drawn in a square of 24. */

const PATHS = {
  camera:
    "M4 8h3.2l1.6-2.5h6.4L16.8 8H20a1 1 0 0 1 1 1v9.5a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1zM12 16.7a3.6 3.6 0 1 0 0-7.2 3.6 3.6 0 0 0 0 7.2z",
  album: "M4 5h16v14H4zM4 16l4.5-4.5 4 4 3-3L20 17M15.5 9.5h.01",
  locate:
    "M12 18.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM12 2v3.5M12 18.5V22M2 12h3.5M18.5 12H22M12 12h.01",
  tray: "M4 13.5 6.5 5h11l2.5 8.5V19H4zM4 13.5h4.7l1.3 2.5h4l1.3-2.5H20",
  gear: "M4 7h9M17 7h3M4 17h3M11 17h9M15 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM9 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  pin: "M12 21.5c4.5-5 6.8-8.7 6.8-11.7a6.8 6.8 0 0 0-13.6 0c0 3 2.3 6.7 6.8 11.7zM12 12.3a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.3 15.3 20.5 20.5",
  check: "m5 12.5 4.5 4.5L19 7.5",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.5 2",
  warn: "M12 4 2.8 20h18.4zM12 10v4.5M12 17.3h.01",
  close: "m6 6 12 12M18 6 6 18",
  cloud: "M7 18.5h10.5a4 4 0 0 0 .6-7.95 6 6 0 0 0-11.5 1.1A3.5 3.5 0 0 0 7 18.5zM4 4l16 17",
  onward: "m9 5.5 6.5 6.5L9 18.5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 22 }: { name: IconName; size?: number }) {
  return (
    <svg class="sign" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path
        d={PATHS[name]}
        fill="none"
        stroke="currentColor"
        stroke-width="1.75"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
