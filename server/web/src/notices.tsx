/** What failed, in words, with what to do about it; and that work goes on. */
import { ApiError, type Language } from "./api";
import { say } from "./language";

export interface Failure {
  readonly what: string | null;
  readonly error: unknown;
  readonly retry: () => void;
}

/** An error as a reader needs it: the sentence, the status and the request's id where known. */
export function failureText(error: unknown, language: Language): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  const extra = [
    error.status > 0 && say(language, "status", { status: String(error.status) }),
    error.requestId && say(language, "requestId", { id: error.requestId }),
  ].filter(Boolean);
  const sentence = error.words[language].replace(/[.。]$/, "");
  return extra.length > 0 ? `${sentence} (${extra.join(", ")})` : sentence;
}

export function Notices({
  failures,
  language,
}: {
  failures: readonly Failure[];
  language: Language;
}) {
  return (
    <div class="notices" role="alert">
      {failures.map(({ what, error, retry }) => (
        <p class="notice failed" key={what}>
          {what === null
            ? say(language, "openFailed", { said: failureText(error, language) })
            : say(language, "partFailed", { what, said: failureText(error, language) })}{" "}
          <button type="button" class="link" onClick={retry}>
            {say(language, "retry")}
          </button>
        </p>
      ))}
    </div>
  );
}

/** A thin moving line while tiles are under way; it only shows itself after a second. */
export function DrawingBar({ drawing, language }: { drawing: boolean; language: Language }) {
  if (!drawing) return null;
  return <div class="drawing" role="progressbar" aria-label={say(language, "drawing")} />;
}
