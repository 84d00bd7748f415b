/**
 * What every page of the console shares: the frame, the headers, and small building blocks. Pages are server-rendered
 * and need no JavaScript. Text from alerts is only ever put into `html` templates, which escape it; `raw` is used for
 * our own style sheet alone. The Content-Security-Policy allows no script, no other origin and no style attribute.
 */
import { randomBytes } from 'node:crypto';
import { html, raw } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import { STYLE_SHEET } from './style-sheet.ts';

/** A piece of a page; nested templates may be promises. */
export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

const PAGES = [
  ['now', '/', 'Now'],
  ['issues', '/issues', 'Issues'],
  ['digests', '/digests', 'Digests'],
  ['deliveries', '/deliveries', 'Deliveries'],
  ['setup', '/setup', 'Setup'],
] as const;

/** Zones offered by name; any other IANA name can be typed. */
const ZONES = [
  'UTC',
  'Europe/London',
  'Europe/Berlin',
  'America/New_York',
  'America/Los_Angeles',
  'Asia/Kolkata',
  'Asia/Tokyo',
];

export interface PageOptions {
  readonly title: string;
  /** The page of the menu that is shown as current. */
  readonly here?: (typeof PAGES)[number][0];
  /** Of the style sheet; the same value goes to {@link securityHeaders}. */
  readonly nonce: string;
  /** Who is signed in, shown at the top; null for nobody. */
  readonly user: string | null;
  /** Whether it was a sign-in here, which can be ended here. */
  readonly canSignOut?: boolean;
  /** IANA name of the viewer's zone. */
  readonly zone: string;
  /** The query that choosing another zone must not lose. */
  readonly keep?: ReadonlyArray<readonly [name: string, value: string]>;
  readonly content: Html;
}

/** What every page of the console has around its body. */
export function htmlDocument(
  { title, nonce, style }: { readonly title: string; readonly nonce: string; readonly style: string },
  body: Html,
): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>${title} · alertgest</title>
        <link rel="icon" href="data:," />
        <style nonce="${nonce}">
          ${raw(style)}
        </style>
      </head>
      <body>
        ${body}
      </body>
    </html>`;
}

/** Renders a whole page. */
export function page({ title, here, nonce, user, canSignOut, zone, keep = [], content }: PageOptions): Html {
  return htmlDocument(
    { title, nonce, style: STYLE_SHEET },
    html` <a class="skip" href="#content">Skip to content</a>
      <header class="top">
        <div>
          <a class="brand" href="/">alertgest</a>
          <nav aria-label="Pages">
            ${PAGES.map(
              ([name, path, label]) =>
                html`<a href="${path}" ${name === here ? raw('aria-current="page"') : ''}>${label}</a>`,
            )}
          </nav>
          ${
            user === null
              ? ''
              : html`<div class="who">
                  ${user}${canSignOut ? html`<form method="post" action="/sign-out"><button class="link-button">Sign out</button></form>` : ''}
                </div>`
          }
        </div>
      </header>
      <main id="content" tabindex="-1">${content}</main>
      <footer class="foot">
        <form class="row" method="get">
          ${keep.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
          <label>
            Times are shown in
            <input name="zone" list="zones" value="${zone}" size="20" autocomplete="off" spellcheck="false" />
          </label>
          <datalist id="zones">${ZONES.map((name) => html`<option value="${name}"></option>`)}</datalist>
          <button class="quiet-button">Change zone</button>
        </form>
      </footer>`,
  );
}

/** A fresh nonce for one answer. */
export function createNonce(): string {
  return randomBytes(16).toString('base64url');
}

/**
 * Headers of every page: nothing may run, be framed, be cached or tell another site where the reader was. Pages with a
 * secret in their address keep `no-referrer`; under it browsers post forms with `Origin: null`.
 */
export function securityHeaders(
  nonce: string,
  referrer: 'no-referrer' | 'same-origin' = 'no-referrer',
): Record<string, string> {
  return {
    'content-security-policy': `default-src 'none'; style-src 'nonce-${nonce}'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
    'referrer-policy': referrer,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
    'cache-control': 'no-store',
  };
}

const SEVERITY_TONES: ReadonlySet<string> = new Set(['critical', 'warning', 'info']);

/** A severity as a coloured word. */
export function badge(severity: string): Html {
  return tag(severity, SEVERITY_TONES.has(severity) ? (severity as Tone) : 'none');
}

export type Tone = 'critical' | 'warning' | 'info' | 'good' | 'none';

/** A short word with a background. */
export function tag(text: string, tone: Tone = 'none'): Html {
  return html`<span class="badge ${tone}">${text}</span>`;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string, withYear: boolean): Intl.DateTimeFormat {
  const key = `${zone} ${withYear}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    ...(withYear ? { year: 'numeric' } : {}),
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
  });
  if (formats.size < 1_000) formats.set(key, format);
  return format;
}

/** A time in the viewer's zone, with the zone's short name; the full zone is in the tooltip. */
export function when(date: Date | string, zone: string): Html {
  const time = new Date(date);
  const withYear = Math.abs(time.getTime() - Date.now()) > 180 * 86_400_000;
  const parts = formatOf(zone, withYear).formatToParts(time);
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? zone;
  const text = parts.map(({ type, value }) => (type === 'timeZoneName' ? '' : value)).join('');
  return html`<time datetime="${time.toISOString()}" title="${zone}"
    >${text.trim()} <span class="zone">${name}</span></time
  >`;
}

/** Whether this name is a time zone here. */
export function isZone(name: string): boolean {
  if (name.length > 64) return false;
  try {
    return (
      name !== '' && new Intl.DateTimeFormat('en-GB', { timeZone: name }).resolvedOptions().timeZone !== ''
    );
  } catch {
    return false;
  }
}

/** What stands where a list would be. */
export function empty(text: string): Html {
  return html`<p class="card empty">${text}</p>`;
}

export interface Column {
  readonly label: string;
  /** Right-aligned, for numbers. */
  readonly isNumber?: boolean;
  /** Stands at the head of a card on narrow screens, without its label. */
  readonly isHead?: boolean;
}

/** A table that becomes one card per row on narrow screens; the roles keep it a table for screen readers there too. */
export function table(
  caption: string,
  columns: readonly Column[],
  rows: ReadonlyArray<ReadonlyArray<Html | string | number>>,
): Html {
  return html`<table class="list" role="table">
    <caption class="hidden">
      ${caption}
    </caption>
    <thead role="rowgroup">
      <tr role="row">
        ${columns.map(({ label, isNumber }) => html`<th role="columnheader" scope="col" class="${isNumber ? 'number-cell' : ''}">${label}</th>`)}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map(
        (cells) =>
          html`<tr role="row">
            ${cells.map((cell, index) => toCell(cell, columns[index]))}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** An empty cell is left out of a card, so nothing stands between its tags. */
function toCell(content: Html | string | number, column: Column | undefined): Html {
  const label = column === undefined || column.isHead ? '' : column.label;
  const kind = column?.isNumber ? 'number-cell' : '';
  return html`<td role="cell" data-label="${label}" class="${kind}">${content}</td>`;
}
