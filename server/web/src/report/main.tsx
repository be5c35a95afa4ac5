/** Opens the phone page: what the phone keeps first, then the city's classes and its map. */
import { render } from "preact";
import "maplibre-gl/dist/maplibre-gl.css";
import { ApiError, fetchCatalogue, fetchCounts, type Catalogue, type Language } from "../api";
import { firstLanguage, LANG_TAG } from "../language";
import { failureText } from "../notices";
import { fetchServices } from "./asking";
import type { Uses } from "./classes";
import { keep, kept } from "./keeping";
import { tidy } from "./outbox";
import { Page, type Beginning } from "./page";
import type { Colours } from "./settings";
import { NOTHING_KEPT, type Kept } from "./types";
import { firstDraft } from "./usedraft";
import { say } from "./words";

function firstColours(): Colours {
  const before = localStorage.getItem("gisgrid.colours");
  return before === "light" || before === "dark" ? before : "system";
}

const COMMON = "common";
/** The city's counts order the classes; nobody waits for them. */
const PATIENCE_MS = 1_500;

/** How many reports of each category the city has; what was known before where the server does not say so soon. */
async function commonCategories({ layers }: Catalogue): Promise<Uses> {
  const counted = layers.find(
    ({ group, ready, fields }) =>
      group === "reports" && ready && fields.some(({ name }) => name === "category"),
  );
  const before = (await kept<Uses>("small", COMMON)) ?? {};
  if (!counted) return before;
  const asked = fetchCounts(counted.id, "category").then(
    (counts) => {
      const uses = Object.fromEntries(counts);
      void keep("small", COMMON, uses);
      return uses;
    },
    () => before,
  );
  const late = new Promise<Uses>((done) => setTimeout(() => done(before), PATIENCE_MS));
  return Promise.race([asked, late]);
}

async function beginning(language: Language): Promise<Beginning> {
  const [catalogue, services, draft, uses, settings] = await Promise.all([
    fetchCatalogue(),
    fetchServices(),
    firstDraft(),
    kept<Uses>("small", "uses"),
    kept<Kept>("small", "settings"),
  ]);
  return {
    catalogue,
    services,
    common: await commonCategories(catalogue),
    draft,
    language,
    uses: uses ?? {},
    kept: settings ?? NOTHING_KEPT,
    colours: firstColours(),
  };
}

function Failed({ error, language }: { error: unknown; language: Language }) {
  const absent = error instanceof ApiError && error.status === 404;
  const said = failureText(error, language);
  return (
    <main class="opening">
      <div class="opening-sheet" role="alert">
        <p>{absent ? say(language, "noCasework") : say(language, "openFailed", { said })}</p>
        <button type="button" class="send" onClick={() => window.location.reload()}>
          {say(language, "retry")}
        </button>
      </div>
    </main>
  );
}

async function open(): Promise<void> {
  const root = document.getElementById("app")!;
  const language = firstLanguage();
  document.documentElement.lang = LANG_TAG[language];
  try {
    const found = await beginning(language);
    root.replaceChildren();
    render(<Page beginning={found} />, root);
    await tidy();
  } catch (error) {
    root.replaceChildren();
    render(<Failed error={error} language={language} />, root);
    document.body.dataset.ready = "failed";
  }
}

void open();
