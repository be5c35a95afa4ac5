/** The cross that closes a drawer or a dialog. */
export function CloseButton({
  name,
  id,
  onClick,
}: {
  name: string;
  id?: string;
  onClick: () => void;
}) {
  return (
    <button
      type="button"
      class="quiet icon"
      id={id}
      aria-label={name}
      title={name}
      onClick={onClick}
    >
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
        <path d="m3 3 10 10M13 3 3 13" stroke="currentColor" stroke-width="1.75" />
      </svg>
    </button>
  );
}
