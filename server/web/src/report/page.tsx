/** The page: the map above, the report below, and over them the outbox and the settings. */
import { useCallback, useLayoutEffect, useState } from "preact/hooks";
import type { Catalogue, Language, Words } from "../api";
import { LANG_TAG } from "../language";
import type { Uses } from "./classes";
import { useInstall, useTheme, useUnkept } from "./device";
import { Done } from "./done";
import { Form } from "./form";
import { MapView } from "./mapview";
import { OutboxDialog } from "./outboxdialog";
import { Settings, type Colours } from "./settings";
import { Messages, TopBar } from "./topbar";
import type { Kept, NearbyCase, Outgoing, Service } from "./types";
import { useReporting, type Reporting } from "./usereporting";
import { useWorker } from "./useworker";
import { say } from "./words";

/** What the page begins with. */
export interface Beginning {
  readonly catalogue: Catalogue;
  readonly services: readonly Service[];
  readonly draft: Outgoing;
  readonly uses: Uses;
  readonly common: Uses;
  readonly kept: Kept;
  readonly language: Language;
  readonly colours: Colours;
}

const NONE: readonly NearbyCase[] = [];

/** The document's language and title follow the reader's. */
function useDocument(language: Language): void {
  useLayoutEffect(() => {
    document.documentElement.lang = LANG_TAG[language];
    document.title = say(language, "documentTitle");
    localStorage.setItem("gisgrid.language", language);
  }, [language]);
}

export function Page({ beginning }: { beginning: Beginning }) {
  const { catalogue, services } = beginning;
  const [language, setLanguage] = useState(beginning.language);
  const [colours, setColours] = useState(beginning.colours);
  const [kept, setKept] = useState(beginning.kept);
  const [units, setUnits] = useState<readonly Words[]>([]);
  const [sheet, setSheet] = useState<"outbox" | "settings" | null>(null);
  const [keeping, setKeeping] = useState(false);
  const theme = useTheme(colours);
  const worker = useWorker(useCallback(() => setKeeping(true), []));
  const [install, unkept] = [useInstall(), useUnkept()];
  const reporting = useReporting(beginning, kept);
  const { drafting, outbox, asked, receiver } = reporting;
  const { draft, change } = drafting;
  useDocument(language);
  const nearby = asked.state === "known" && draft.service_code ? asked.here.nearby : NONE;
  const close = () => setSheet(null);
  const said = { language, online: outbox.online };
  return (
    <div class="report">
      <main class="report-page">
        <div class="report-map">
          <MapView
            catalogue={catalogue}
            look={{ language, theme }}
            apiKey={kept.key}
            position={draft.position}
            fix={receiver.fix}
            nearby={nearby}
            keeping={keeping}
            onPosition={(position) => change({ position, refusal: null })}
            onUnits={setUnits}
          />
          <TopBar
            language={language}
            unsent={reporting.unsent}
            onOutbox={() => setSheet("outbox")}
            onSettings={() => setSheet("settings")}
            onLanguage={setLanguage}
          />
        </div>
        <div class="report-sheet">
          <Messages {...said} unkept={unkept} update={worker.update} />
          <Report beginning={beginning} reporting={reporting} units={units} language={language} />
        </div>
      </main>
      {sheet === "outbox" && (
        <OutboxDialog
          {...said}
          reports={outbox.reports}
          services={services}
          onOpen={(report) => void reporting.resume(report).then(close)}
          onSend={() => void outbox.pump(true)}
          onClose={close}
        />
      )}
      {sheet === "settings" && (
        <Settings
          {...{ language, colours, kept, install }}
          ready={worker.ready}
          onLanguage={setLanguage}
          onColours={setColours}
          onKept={setKept}
          onClose={close}
        />
      )}
    </div>
  );
}

interface ReportProps {
  readonly beginning: Beginning;
  readonly reporting: Reporting;
  readonly units: readonly Words[];
  readonly language: Language;
}

/** The report that is being written, or what became of the one before. */
function Report({ beginning, reporting, units, language }: ReportProps) {
  const { timezone } = beginning.catalogue;
  const { drafting, done, outbox, begin, resume, send, startOver } = reporting;
  if (done) {
    return (
      <Done
        report={done}
        language={language}
        timezone={timezone}
        onAnother={() => begin(drafting.current())}
        onCorrect={() => void resume(done)}
      />
    );
  }
  return (
    <Form
      key={drafting.draft.client_id}
      drafting={drafting}
      services={beginning.services}
      uses={reporting.uses}
      common={beginning.common}
      asked={reporting.asked}
      receiver={reporting.receiver}
      units={units}
      language={language}
      timezone={timezone}
      online={outbox.online}
      restored={reporting.restored}
      onSend={(attributes) => void send(attributes)}
      onStartOver={() => void startOver()}
    />
  );
}
