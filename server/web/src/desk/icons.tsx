/** Small pictures, drawn with the colour of the text around them. */
const PATHS = {
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Zm3.6-1.4L14 14",
  in: "M8 3v10M3 8h10",
  out: "M3 8h10",
  city: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  moon: "M13 9.5A5.5 5.5 0 1 1 6.5 3 4.5 4.5 0 0 0 13 9.5Z",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  keyboard: "M1.5 4.5h13v7h-13zM4 7h.5M7.8 7h.5M11.5 7h.5M5 9.5h6",
  save: "M8 2v8M4.5 7 8 10.5 11.5 7M2.5 13.5h11",
  figures: "M2.5 13.5h11M4 11V7M8 11V2.5M12 11V5.5",
  leave: "M9.5 2.5h-7v11h7M6 8h8M11 5l3 3-3 3",
  clock: "M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM8 4.5V8l2.5 1.5",
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" class="glyph">
      <path
        d={PATHS[name]}
        fill="none"
        stroke="currentColor"
        stroke-width="1.6"
        stroke-linejoin="round"
      />
    </svg>
  );
}
