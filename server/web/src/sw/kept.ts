/** What the phone page and its service worker agree on. */

/** A request whose answer is to be kept for times without a network. */
export const KEEP_HEADER = "x-gisgrid-keep";

/** Names of the grid, and counts that order the classes. */
export const ROWS = /\/api\/layers\/[\w-]+\/(rows|counts)(\?|$)/;

/** Where the answers are kept; a change of key empties it, for another key may see other things. */
export const DATA_CACHE = "gisgrid-report-data";

/** Where the page's own files are kept, followed by their version. */
export const FILES_CACHE = "gisgrid-report-files-";

/** What the page says to a worker that waits to take over. */
export const TAKE_OVER = "take-over";

/** The name of the background sync that empties the outbox. */
export const OUTBOX_SYNC = "gisgrid-outbox";
