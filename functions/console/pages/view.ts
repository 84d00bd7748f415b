/** What a page knows of its reader, and the pieces that more than one page shows. */
import { html } from 'hono/html';
import { page } from './layout.ts';
import type { Html, PageOptions } from './layout.ts';

export interface View {
  /** IANA zone in which times are shown. */
  readonly zone: string;
  /** Of this answer's style sheet. */
  readonly nonce: string;
  /** Who is signed in; null for nobody. */
  readonly user: string | null;
  readonly canSignOut: boolean;
  /** Hidden fields that prove a form came from a page of ours. */
  readonly formFields: Html | '';
  /** The query that the zone form must not lose. */
  readonly keep: ReadonlyArray<readonly [string, string]>;
  readonly now: Date;
}

/** Renders a page for its reader. */
export function frame(view: View, options: Pick<PageOptions, 'title' | 'here' | 'content'>): Html {
  const { nonce, user, canSignOut, zone, keep } = view;
  return page({ ...options, nonce, user, canSignOut, zone, keep });
}

/** The page of an issue. */
export function issuePath(pattern: string): string {
  return `/issues/${encodeURIComponent(pattern)}`;
}

/** An issue's name as a link, with what tells it from others of that name. */
export function issueLink(issue: {
  readonly pattern: string;
  readonly alertname: string;
  readonly title: string;
  readonly namespace?: string | null;
}): Html {
  return html`<div>
    <a href="${issuePath(issue.pattern)}">${clip(issue.alertname, 80)}</a>
    <div class="muted small">${clip(issue.title, 120)}</div>
  </div>`;
}

/** A link from an alert: only http and https lead anywhere, everything else is shown as text. */
export function safeLink(url: string): Html {
  const parsed = URL.parse(url);
  const isSafe = parsed !== null && (parsed.protocol === 'https:' || parsed.protocol === 'http:');
  return isSafe
    ? html`<a href="${parsed.href}" rel="noreferrer noopener">${clip(url, 200)}</a>`
    : html`<code>${clip(url, 200)}</code>`;
}

/** A text within a limit; long ones end in an ellipsis. */
export function clip(text: string, limit: number): string {
  return text.length <= limit
    ? text
    : `${text
        .slice(0, limit - 1)
        .toWellFormed()
        .replace(/\uFFFD$/, '')}…`;
}

/** A drop-down list; `''` is "any". */
export function select(
  name: string,
  label: string,
  options: ReadonlyArray<readonly [value: string, text: string]>,
  current: string,
): Html {
  return html`<label
    >${label}
    <select name="${name}">
      ${options.map(([value, text]) =>
        value === current
          ? html`<option value="${value}" selected>${text}</option>`
          : html`<option value="${value}">${text}</option>`,
      )}
    </select></label
  >`;
}

/** A path with a query of what is set. */
export function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value) search.set(name, value);
  return search.size === 0 ? path : `${path}?${search.toString()}`;
}
