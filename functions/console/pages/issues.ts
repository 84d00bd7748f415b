/** The issues list: what fires, what is silenced by whom until when, and how often it happens. */
import { html } from 'hono/html';
import * as z from 'zod';
import { DECISION_KINDS } from '../../../shared/postgres/decisions.ts';
import { ISSUE_SORTS } from '../../../shared/postgres/issues.ts';
import type { IssueLine } from '../../../shared/postgres/issues.ts';
import { SEVERITIES } from '../../../shared/severity.ts';
import { sparkline } from './chart.ts';
import { badge, empty, table, tag, when } from './layout.ts';
import type { Html } from './layout.ts';
import { DECISION_WORDS, count } from './sentences.ts';
import { clip, frame, issueLink, select, withQuery } from './view.ts';
import type { View } from './view.ts';

/** Issues on one page; with charts about 35 kB. */
export const ISSUES_PER_PAGE = 25;
/** Days of the chart beside each issue. */
export const CHART_DAYS = 30;

const KINDS = DECISION_KINDS.filter((kind) => kind !== 'note' && kind !== 'revoke');
const SORT_WORDS = { risk: 'Risk', latest: 'Latest', hits: 'Hits in 7 days', name: 'Name' } as const;
const word = (value: unknown): unknown => (value === '' ? undefined : value);

/** The list's query; what cannot be read counts as not given, so that no address is a dead end. */
export const issuesQuerySchema = z.object({
  q: z.preprocess(word, z.string().trim().max(200).optional()).catch(undefined),
  severity: z.preprocess(word, z.enum(SEVERITIES).optional()).catch(undefined),
  category: z.preprocess(word, z.string().max(40).optional()).catch(undefined),
  decision: z.preprocess(word, z.enum([...KINDS, 'any', 'none']).optional()).catch(undefined),
  open: z.preprocess(word, z.enum(['yes', 'no']).optional()).catch(undefined),
  sort: z.enum(ISSUE_SORTS).catch('risk'),
  page: z.coerce.number().int().min(1).max(10_000).catch(1),
});
export type IssuesQuery = z.infer<typeof issuesQuerySchema>;

export interface IssuesData {
  readonly query: IssuesQuery;
  readonly issues: readonly IssueLine[];
  readonly hits: ReadonlyMap<string, readonly number[]>;
  /** Categories in use, for the filter. */
  readonly categories: readonly string[];
}

/** Renders the page. */
export function toIssuesPage(view: View, { query, issues, hits, categories }: IssuesData): Html {
  const total = issues[0]?.total ?? 0;
  return frame(view, {
    title: 'Issues',
    here: 'issues',
    content: html`<h1>Issues</h1>
      ${toFilterForm(query, categories)}
      <p class="muted small">
        ${count(total, 'issue')}
        ${query.sort === 'risk' ? 'by risk: criticals that fire, criticals with hits, decisions that were set aside, what is silenced and still happens, the rest.' : `by ${SORT_WORDS[query.sort].toLowerCase()}.`}
        <a href="/issues/suggestions">What could be ignored</a>
      </p>
      ${issues.length === 0 ? empty('No issue fits.') : toList(view, issues, hits)} ${toPager(query, total)}`,
  });
}

function toFilterForm(query: IssuesQuery, categories: readonly string[]): Html {
  const isFiltered = [query.severity, query.category, query.decision, query.open].some(
    (value) => value !== undefined,
  );
  return html`<form method="get" action="/issues" class="card" role="search">
    <div class="row">
      <label class="grow"
        >Search <input type="search" name="q" value="${query.q ?? ''}" placeholder="name, namespace, cluster"
      /></label>
      <button>Show</button>
    </div>
    <details ${isFiltered ? 'open' : ''}>
      <summary>Filter and sort</summary>
      <div class="row">
        ${select('severity', 'Severity', [['', 'any'], ...pairs(SEVERITIES)], query.severity ?? '')}
        ${select('category', 'Category', [['', 'any'], ...pairs(categories)], query.category ?? '')}
        ${select('decision', 'Decision', [['', 'does not matter'], ['any', 'decided'], ['none', 'not decided'], ...KINDS.map((kind) => [kind, DECISION_WORDS[kind].state] as const)], query.decision ?? '')}
        ${select(
          'open',
          'Firing',
          [
            ['', 'does not matter'],
            ['yes', 'yes'],
            ['no', 'no'],
          ],
          query.open ?? '',
        )}
        ${select(
          'sort',
          'Sort by',
          ISSUE_SORTS.map((sort) => [sort, SORT_WORDS[sort]] as const),
          query.sort,
        )}
      </div>
    </details>
  </form>`;
}

function toList(view: View, issues: readonly IssueLine[], hits: IssuesData['hits']): Html {
  return table(
    'Issues with their decisions and hits',
    [
      { label: 'Severity', isHead: true },
      { label: 'Issue', isHead: true },
      { label: 'Decision' },
      { label: 'Hits 7 d', isNumber: true },
      { label: 'Hits 30 d', isNumber: true },
      { label: 'Per day' },
      { label: 'Last seen' },
    ],
    issues.map((issue) => [
      html`<div>${badge(issue.severity)}</div>`,
      issueLink(issue),
      toDecision(view, issue),
      issue.hits_7d.toLocaleString('en-GB'),
      issue.hits_30d.toLocaleString('en-GB'),
      sparkline(
        hits.get(issue.pattern) ?? [],
        `${count(issue.hits_30d, 'hit')} in 30 days, ${issue.hits_7d} in the last 7`,
      ) as Html,
      html`<div>
        ${when(issue.last_seen, view.zone)}${issue.open_episodes > 0 ? html`<div>${tag('firing', 'warning')}</div>` : ''}
      </div>`,
    ]),
  );
}

/** The decision in force in a few words: what, by whom, until when, why. */
export function toDecision(
  { zone }: Pick<View, 'zone'>,
  issue: Pick<
    IssueLine,
    'decision' | 'decision_actor' | 'decision_until' | 'decision_note' | 'decision_broken'
  >,
): Html | '' {
  if (issue.decision === null) return '';
  return html`<div>
    ${tag(DECISION_WORDS[issue.decision].state, 'info')}
    ${issue.decision_broken === null ? '' : tag('set aside', 'warning')}
    <div class="small">
      by ${clip(issue.decision_actor ?? 'somebody', 60)},
      ${issue.decision_until === null ? 'until it is taken back' : html`until ${when(issue.decision_until, zone)}`}
    </div>
    ${issue.decision_broken === null ? '' : html`<div class="small">${clip(issue.decision_broken, 200)}</div>`}
    ${issue.decision_note === null ? '' : html`<div class="muted small">${clip(issue.decision_note, 160)}</div>`}
  </div>`;
}

function toPager(query: IssuesQuery, total: number): Html | '' {
  const pages = Math.max(1, Math.ceil(total / ISSUES_PER_PAGE));
  if (pages === 1 && query.page === 1) return '';
  const to = (page: number): string =>
    withQuery('/issues', { ...query, page: page === 1 ? undefined : String(page) });
  return html`<nav class="row" aria-label="Further issues">
    ${query.page > 1 ? html`<a class="button quiet-button" href="${to(query.page - 1)}" rel="prev">Previous</a>` : ''}
    <span class="muted">Page ${query.page} of ${pages}</span>
    ${query.page < pages ? html`<a class="button quiet-button" href="${to(query.page + 1)}" rel="next">Next</a>` : ''}
  </nav>`;
}

function pairs(values: readonly string[]): Array<readonly [string, string]> {
  return values.map((value) => [value, value] as const);
}
