/** The finding in words: its first sentence large, then how sure it is and what lies under it. */
import type { Findings, Language } from "./api";

/** One sentence each, in Chinese or in English. */
export function sentences(text: string): string[] {
  return text.split(/(?<=[。！？])|(?<=[.!?])\s+(?=[A-Z])/).filter((each) => each.trim() !== "");
}

/** What the list of places below says anyway is not said twice. */
const repeatsPlaces = (sentence: string, findings: Findings, language: Language): boolean => {
  const [strongest] = findings.places;
  const name = strongest && (language === "zh" ? strongest.name_zh : strongest.name_en);
  return name !== undefined && sentence.includes(name);
};

export function Finding({ findings, language }: { findings: Findings; language: Language }) {
  const [first, ...rest] = sentences(findings[language]);
  return (
    <div id="finding">
      <p class="sentence">{first}</p>
      {rest
        .filter((each) => !repeatsPlaces(each, findings, language))
        .map((each) => (
          <p class="finding-more" key={each}>
            {each}
          </p>
        ))}
    </div>
  );
}
