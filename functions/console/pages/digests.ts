/** The digests: what each capture window was, in numbers, and how the nights compare. */
import { html } from 'hono/html';
import * as z from 'zod';
import type { DigestRow } from '../../../shared/postgres/digests.ts';
import { stackedBars } from './chart.ts';
import { LEVEL_EMOJI, documentSchema } from '../../../shared/digest/document.ts';
import { empty, table, when } from './layout.ts';
import type { Html } from './layout.ts';
import { clip, frame, withQuery } from './view.ts';
import type { View } from './view.ts';

export const DIGESTS_PER_PAGE = 30;
/** From the bottom of a bar up. */
export const LAYERS = ['critical', 'warning', 'unknown', 'info', 'none'] as const;

const sums = z.object({ episodes: z.number(), firing: z.number(), resolved: z.number() });
const factsSchema = z.object({
  ...sums.shape,
  issues: z.number().default(0),
  bySeverity: z.record(z.string(), sums).default({}),
  byType: z.record(z.string(), sums).default({}),
  text: z.string().optional(),
});
type Facts = z.infer<typeof factsSchema>;

/** Renders the list with the plot over nights. */
export function toDigestsPage(view: View, digests: readonly DigestRow[], isFirst: boolean): Html {
  const last = digests.at(-1);
  const hasMore = digests.length === DIGESTS_PER_PAGE && last !== undefined;
  return frame(view, {
    title: 'Digests',
    here: 'digests',
    content: html`<h1>Digests</h1>
      ${digests.length === 0 ? empty('No capture window was summed up yet. The first digest comes after the first night.') : html`${toPlot(digests)} ${toList(view, digests)}`}
      ${hasMore ? html`<p><a class="button quiet-button" href="${withQuery('/digests', { before: last.window_end.toISOString() })}" rel="next">Earlier</a></p>` : ''}
      ${isFirst ? '' : html`<p><a href="/digests">Latest</a></p>`}`,
  });
}

/** The address of a digest's page. */
export function digestPath({ id }: Pick<DigestRow, 'id'>): string {
  return `/digests/${id}`;
}

function toPlot(digests: readonly DigestRow[]): Html {
  const nights = digests.toReversed().map((digest) => {
    const facts = readFacts(digest);
    const label = digest.window_start.toLocaleDateString('en-GB', {
      timeZone: zoneOf(digest),
      day: 'numeric',
      month: 'short',
    });
    return {
      label,
      values: Object.fromEntries(LAYERS.map((layer) => [layer, facts?.bySeverity[layer]?.episodes ?? 0])),
    };
  });
  const shown = LAYERS.filter((layer) => nights.some(({ values }) => (values[layer] ?? 0) > 0));
  const most = Math.max(
    ...nights.map(({ values }) => LAYERS.reduce((sum, layer) => sum + (values[layer] ?? 0), 0)),
  );
  const title = `Alerts per night by severity over ${nights.length} nights, at most ${most}; the table below has the numbers`;
  return html`<section class="card">
    <h2>Alerts per night</h2>
    <div class="only-wide">${stackedBars(nights, shown, title, { width: 1_040, height: 240 })}</div>
    <div class="only-narrow">${stackedBars(nights, shown, title, { width: 300, height: 200 })}</div>
    <p class="small">
      ${shown.map(
        (layer) =>
          html`<span
            ><svg class="key" width="12" height="12" aria-hidden="true">
              <rect class="bar ${layer}" width="12" height="12" /></svg
            >${layer}
          </span>`,
      )}
    </p>
  </section>`;
}

function toList(view: View, digests: readonly DigestRow[]): Html {
  return table(
    'Digests, latest first',
    [
      { label: 'Window', isHead: true },
      { label: 'Alerts', isNumber: true },
      { label: 'Critical', isNumber: true },
      { label: 'Warning', isNumber: true },
      { label: 'Still firing', isNumber: true },
      { label: 'Issues', isNumber: true },
      { label: 'Verdict' },
    ],
    digests.map((digest) => {
      const facts = readFacts(digest);
      const of = (severity: string): number => facts?.bySeverity[severity]?.episodes ?? 0;
      return [
        html`<a href="${digestPath(digest)}"
          >${when(digest.window_start, view.zone)} – ${when(digest.window_end, view.zone)}</a
        >`,
        facts?.episodes ?? '?',
        of('critical'),
        of('warning'),
        facts?.firing ?? '?',
        facts?.issues ?? '?',
        toVerdict(digest),
      ];
    }),
  );
}

/** What it says, and whether anybody was told. */
function toVerdict({ document, status }: DigestRow): Html | string {
  const read = documentSchema.safeParse(document);
  const fate = status === 'dead' ? ' · nobody could be told' : '';
  return read.success ? html`${LEVEL_EMOJI[read.data.level]} ${clip(read.data.verdict, 160)}${fate}` : '';
}

function readFacts({ facts }: DigestRow): Facts | null {
  const parsed = factsSchema.safeParse(facts);
  return parsed.success ? parsed.data : null;
}

function zoneOf({ zone }: DigestRow): string {
  return zone === '' ? 'UTC' : zone;
}
