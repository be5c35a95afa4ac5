/** A sheet over the page: from below on a phone, in the middle on a wide screen; Escape and the cross close it. */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Language } from "../api";
import { Icon } from "./icons";
import { say } from "./words";

interface Props {
  readonly id: string;
  readonly title: string;
  readonly language: Language;
  readonly onClose: () => void;
  readonly head?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Dialog({ id, title, language, onClose, head, children }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => element.current?.showModal(), []);
  const dismiss = (event: MouseEvent) => {
    if (event.target === element.current) onClose();
  };
  return (
    <dialog
      id={id}
      class="sheet-dialog"
      ref={element}
      aria-labelledby={`${id}-title`}
      onClose={onClose}
      onClick={dismiss}
    >
      <div class="dialog-page">
        <header class="dialog-head">
          <h2 id={`${id}-title`}>{title}</h2>
          <button
            type="button"
            class="round"
            aria-label={say(language, "close")}
            onClick={() => element.current?.close()}
          >
            <Icon name="close" />
          </button>
        </header>
        {head}
        <div class="dialog-body">{children}</div>
      </div>
    </dialog>
  );
}
