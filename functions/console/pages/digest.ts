/** One digest: what it said, drawn and rated. */
import { html } from 'hono/html';
import * as z from 'zod';
import { LEVEL_EMOJI, SEVERITY_EMOJI, documentSchema } from '../../../shared/digest/document.ts';
import type { Line, Section } from '../../../shared/digest/document.ts';
import { toHeading } from '../../../shared/digest/markdown.ts';
import type { DigestRow } from '../../../shared/postgres/digests.ts';
import type { RatingSum } from '../../../shared/postgres/ratings.ts';
import { stackedBars } from './chart.ts';
import { LAYERS, digestPath } from './digests.ts';
import { badge, empty, when } from './layout.ts';
import type { Html } from './layout.ts';
import { clip, frame } from './view.ts';
import type { View } from './view.ts';

const HOUR_MS = 3_600_000;
/** Longer spans are drawn by the day, which bars by the hour would not fit. */
const MOST_HOURS = 80;

/** The rating form as it is posted. */
export const ratingFormSchema = z.object({
  useful: z.enum(['yes', 'no']).catch('no'),
  note: z
    .string()
    .max(100)
    .transform((note) => (note === '' ? null : note))
    .catch(() => null),
});

export interface DigestView {
  readonly digest: DigestRow;
  readonly hours: ReadonlyArray<{ readonly hour: Date; readonly severity: string; readonly opened: number }>;
  readonly ratings: readonly RatingSum[];
  /** What the last press did; null for nothing. */
  readonly said: string | null;
}

/** Renders it. */
export function toDigestPage(view: View, { digest, hours, ratings, said }: DigestView): Html {
  const read = documentSchema.safeParse(digest.document);
  const document = read.success ? read.data : null;
  return frame(view, {
    title: 'Digest',
    here: 'digests',
    content: html`<h1>${document === null ? 'Digest' : toHeading(document)}</h1>
      <p>${when(digest.window_start, view.zone)} – ${when(digest.window_end, view.zone)}</p>
      <p class="muted small">
        The window is kept in ${digest.zone}; built ${when(digest.built_at, view.zone)}; ${toFate(digest)}.
      </p>
      ${said === null ? '' : html`<p class="card loud" role="alert">${said}</p>`}
      ${
        document === null
          ? empty('This digest has counts only; it is older than the texts.')
          : html`<p class="card"><strong>${LEVEL_EMOJI[document.level]} ${document.verdict}</strong></p>`
      }
      ${toPlot(view, digest, hours)}
      ${document?.sections.map((section) => toSection(view, digest, section)) ?? ''}
      ${document === null || document.cuts.length === 0 ? '' : html`<p class="muted">Not shown: ${document.cuts.join('; ')}.</p>`}
      ${document?.model == null ? '' : html`<p class="muted small">✎ marks notes written by ${document.model}; all else is counted.</p>`}
      <section class="card" id="rate">
        <h2>Was this digest useful?</h2>
        ${toForm(view, digest, null)} ${toSums(ratings)}
      </section>
      <p><a href="/digests">All digests</a></p>`,
  });
}

function toFate({ status, reason }: DigestRow): string {
  const fates = {
    building: 'being built',
    built: 'being told',
    sent: 'told',
    dead: 'nobody could be told',
    kept: 'kept, not told',
  } as const;
  return reason === null ? fates[status] : `${fates[status]}: ${clip(reason, 200)}`;
}

function toSection(view: View, digest: DigestRow, { id, emoji, title, lines }: Section): Html {
  const items = lines.map((line) => toItem(view, digest, line));
  const list =
    lines.length === 0
      ? html`<p class="muted">None</p>`
      : id === 'actions'
        ? html`<ol>
            ${items}
          </ol>`
        : html`<ul class="plain">
            ${items}
          </ul>`;
  return html`<section>
    <h2>${emoji} ${title}</h2>
    ${list}
  </section>`;
}

function toItem(view: View, digest: DigestRow, line: Line): Html {
  const { text, when: due, severity, link, note, ai } = line;
  const mark = severity === undefined ? '' : SEVERITY_EMOJI[severity];
  // The severity is a badge here; elsewhere its sign stands in the text.
  const words = mark !== '' && text.startsWith(mark) ? text.slice(mark.length).trim() : text;
  return html`<li>
    ${severity === undefined ? '' : badge(severity)}
    ${due === undefined ? '' : html`<strong>${due}:</strong>`} ${words}${ai === true ? ' ✎' : ''}
    ${link === undefined ? '' : toLink(link)}
    ${
      note === undefined
        ? ''
        : html`<details class="small">
            <summary>Rate this note</summary>
            ${toForm(view, digest, note)}
          </details>`
    }
  </li>`;
}

/** A checked address, with the host it leads to. */
function toLink({ label, url }: NonNullable<Line['link']>): Html {
  const host = URL.parse(url)?.host ?? '';
  return html`· <a href="${url}" rel="noreferrer noopener">${label} at ${clip(host, 60)}</a>`;
}

/** Two buttons. */
function toForm({ formFields }: View, digest: DigestRow, note: string | null): Html {
  const of = note === null ? 'this digest' : 'this note';
  return html`<form class="row" method="post" action="${digestPath(digest)}/rate">
    ${formFields}<input type="hidden" name="note" value="${note ?? ''}" />
    <button class="quiet-button" name="useful" value="yes" aria-label="${of} was useful">Useful</button>
    <button class="quiet-button" name="useful" value="no" aria-label="${of} was not useful">
      Not useful
    </button>
  </form>`;
}

function toSums(ratings: readonly RatingSum[]): Html | string {
  const whole = ratings.find(({ note }) => note === null);
  const notes = ratings.filter(({ note }) => note !== null);
  if (ratings.length === 0) return '';
  const rated = notes.reduce((sum, { useful, not_useful }) => sum + useful + not_useful, 0);
  return html`<p class="muted small">
    So far: useful ${whole?.useful ?? 0}, not useful ${whole?.not_useful ?? 0}; its notes were rated ${rated}
    times.
  </p>`;
}

function toPlot(
  view: View,
  { window_start, window_end }: DigestRow,
  hours: DigestView['hours'],
): Html | string {
  if (hours.length === 0) return '';
  const span = window_end.getTime() - window_start.getTime();
  const stepMs = span / HOUR_MS > MOST_HOURS ? 24 * HOUR_MS : HOUR_MS;
  const first = Math.floor(window_start.getTime() / stepMs) * stepMs;
  const stacks = Array.from({ length: Math.ceil((window_end.getTime() - first) / stepMs) }, (_, index) => {
    const from = first + index * stepMs;
    const own = hours.filter(({ hour }) => hour.getTime() >= from && hour.getTime() < from + stepMs);
    const values = Object.fromEntries(
      LAYERS.map((layer) => [
        layer,
        own.filter(({ severity }) => severity === layer).reduce((sum, { opened }) => sum + opened, 0),
      ]),
    );
    const label = new Date(from).toLocaleString('en-GB', {
      timeZone: view.zone,
      ...(stepMs === HOUR_MS ? { hour: '2-digit', minute: '2-digit' } : { day: 'numeric', month: 'short' }),
    });
    return { label, values };
  });
  const shown = LAYERS.filter((layer) => stacks.some(({ values }) => (values[layer] ?? 0) > 0));
  const title = `New alerts by ${stepMs === HOUR_MS ? 'hour' : 'day'} and severity, ${hours.reduce((sum, { opened }) => sum + opened, 0)} in all`;
  return html`<section class="card">
    <h2>New alerts</h2>
    <div class="only-wide">${stackedBars(stacks, shown, title, { width: 1_040, height: 200 })}</div>
    <div class="only-narrow">${stackedBars(stacks, shown, title, { width: 300, height: 160 })}</div>
  </section>`;
}
