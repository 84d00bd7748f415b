/** The deliveries: every message to every channel, what the provider answered, and the button to send a failed one again. */
import { html } from 'hono/html';
import * as z from 'zod';
import type { DeliveryLine } from '../../../shared/postgres/delivery-log.ts';
import { badge, empty, table, tag, when } from './layout.ts';
import type { Html, Tone } from './layout.ts';
import { clip, frame, issueLink, select, withQuery } from './view.ts';
import type { View } from './view.ts';

export const DELIVERIES_PER_PAGE = 25;

const STATUSES = ['planned', 'sending', 'sent', 'dead'] as const;
const STATUS_WORDS: Readonly<Record<(typeof STATUSES)[number], readonly [string, Tone]>> = {
  planned: ['waiting', 'warning'],
  sending: ['being sent', 'none'],
  sent: ['sent', 'good'],
  dead: ['failed', 'critical'],
};
const KIND_WORDS: Readonly<Record<string, string>> = {
  opened: 'began',
  grew: 'grew',
  resolved: 'ended',
  due: 'reminder or summary',
  digest: 'summary of the night',
};

/** The list's query; what cannot be read counts as not given. */
export const deliveriesQuerySchema = z.object({
  status: z.enum(STATUSES).optional().catch(undefined),
  channel: z.string().min(1).max(100).optional().catch(undefined),
  before: z
    .string()
    .regex(/^\d{1,18}$/)
    .optional()
    .catch(undefined),
});
export type DeliveriesQuery = z.infer<typeof deliveriesQuerySchema>;

export interface DeliveriesData {
  readonly query: DeliveriesQuery;
  readonly deliveries: readonly DeliveryLine[];
  readonly counts: ReadonlyArray<{
    readonly channel: string;
    readonly status: string;
    readonly count: number;
  }>;
  /** What the last press of the button did, or why it did nothing. */
  readonly said: string | null;
}

/** Renders the page. */
export function toDeliveriesPage(view: View, { query, deliveries, counts, said }: DeliveriesData): Html {
  const channels = [...new Set(counts.map(({ channel }) => channel))];
  const last = deliveries.at(-1);
  const dead = counts.filter(({ status }) => status === 'dead').reduce((sum, each) => sum + each.count, 0);
  return frame(view, {
    title: 'Deliveries',
    here: 'deliveries',
    content: html`<h1>Deliveries</h1>
      ${said === null ? '' : html`<p class="card" role="status">${said}</p>`}
      <form method="get" action="/deliveries" class="card">
        <div class="row">
          ${select('status', 'Status', [['', 'any'], ...STATUSES.map((status) => [status, STATUS_WORDS[status][0]] as const)], query.status ?? '')}
          ${select('channel', 'Channel', [['', 'any'], ...channels.map((channel) => [channel, channel] as const)], query.channel ?? '')}
          <button>Show</button>
        </div>
        <p class="muted small">
          ${channels.map(
            (channel) =>
              html`${channel}:
              ${counts
                .filter((each) => each.channel === channel)
                .map(({ status, count }) => `${count} ${toStatusWords(status)[0]}`)
                .join(', ')}. `,
          )}
          ${dead > 0 ? html`<a href="/deliveries?status=dead">Failed ones</a>` : ''}
        </p>
      </form>
      ${deliveries.length === 0 ? empty('No delivery fits.') : toList(view, deliveries)}
      ${
        deliveries.length === DELIVERIES_PER_PAGE && last !== undefined
          ? html`<p>
              <a
                class="button quiet-button"
                rel="next"
                href="${withQuery('/deliveries', { ...query, before: last.id })}"
                >Earlier</a
              >
            </p>`
          : ''
      }`,
  });
}

function toList(view: View, deliveries: readonly DeliveryLine[]): Html {
  return table(
    'Deliveries, latest first',
    [
      { label: 'Status', isHead: true },
      { label: 'Issue', isHead: true },
      { label: 'Channel' },
      { label: 'Planned' },
      { label: 'What happened' },
    ],
    deliveries.map((delivery) => [
      html`<div>${tag(...toStatusWords(delivery.status))}</div>`,
      html`<div>
        ${delivery.issue === null ? html`<a href="/digests">Digest</a>` : issueLink(delivery.issue)}
        <div class="small">
          ${delivery.issue === null ? '' : badge(delivery.issue.severity)}
          ${KIND_WORDS[delivery.kind] ?? delivery.kind}
        </div>
      </div>`,
      clip(delivery.channel, 80),
      html`<div>${when(delivery.created_at, view.zone)}</div>`,
      toOutcome(view, delivery),
    ]),
  );
}

function toOutcome(view: View, delivery: DeliveryLine): Html {
  const { status, attempts, sent_at, last_error, next_attempt_at, provider_id, unknown_outcomes } = delivery;
  return html`<div>
    ${delivery.instead_of === null ? '' : html`<div class="small">In place of ${clip(delivery.instead_of, 80)}, which could not be reached</div>`}
    ${delivery.carrier === null ? '' : html`<div class="small">Part of one message about all that waited</div>`}
    ${sent_at === null ? '' : html`<div>Sent ${when(sent_at, view.zone)}${attempts > 1 ? `, try ${attempts}` : ''}</div>`}
    ${provider_id === null ? '' : html`<div class="muted small">Provider's id ${clip(provider_id, 80)}</div>`}
    ${status === 'planned' ? html`<div>Next try ${when(next_attempt_at, view.zone)}</div>` : ''}
    ${sent_at === null ? html`<div class="small">Tries: ${attempts}</div>` : ''}
    ${last_error === null ? '' : html`<div class="small">Answer: ${clip(last_error, 300)}</div>`}
    ${unknown_outcomes > 0 ? html`<div class="small">May have arrived more than once.</div>` : ''}
    ${
      delivery.issue !== null && (status === 'dead' || (status === 'planned' && attempts > 0))
        ? html`<form method="post" action="/deliveries/${delivery.id}/resend">
            ${view.formFields}<button class="quiet-button">
              Send again<span class="hidden">
                ${clip(delivery.issue.alertname, 80)} to ${clip(delivery.channel, 80)}</span
              >
            </button>
          </form>`
        : ''
    }
  </div>`;
}

function toStatusWords(status: string): readonly [string, Tone] {
  return STATUS_WORDS[status as keyof typeof STATUS_WORDS] ?? [status, 'none'];
}
