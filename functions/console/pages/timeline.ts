/** The timeline of an issue: each incident with its news, what was decided and why, and who was sent what when. */
import { html } from 'hono/html';
import type {
  TimelineDelivery,
  TimelineIncident,
  TimelineNotice,
} from '../../../shared/postgres/timeline.ts';
import { when } from './layout.ts';
import type { Html } from './layout.ts';
import { count, toKindWords, toSpan, toTone, toVerdict } from './sentences.ts';
import { clip } from './view.ts';
import type { View } from './view.ts';

/** Incidents shown unfolded. */
const UNFOLDED = 2;

/** Renders incidents, latest first; the older ones are folded. */
export function toTimeline(view: View, incidents: readonly TimelineIncident[]): Html {
  return html`${incidents.map(
    (incident, index) =>
      html`<details ${index < UNFOLDED ? 'open' : ''}>
        <summary>${toIncidentTitle(view, incident)}</summary>
        <ul class="steps">
          ${incident.notices.map((notice) => toStep(view, notice))}
          ${incident.notices.length === 0 ? html`<li>Its news is no longer stored.</li>` : ''}
          ${incident.due_at === null ? '' : html`<li>It becomes news again ${when(incident.due_at, view.zone)}: ${incident.due_why}</li>`}
          ${incident.closed_at === null ? '' : html`<li>Over ${when(incident.closed_at, view.zone)}</li>`}
        </ul>
      </details>`,
  )}`;
}

function toIncidentTitle(view: View, { opened_at, closed_at, episodes }: TimelineIncident): Html {
  const end = closed_at ?? view.now;
  const span = toSpan(end.getTime() - opened_at.getTime());
  return html`${when(opened_at, view.zone)}, ${count(episodes, 'alert')},
  ${closed_at === null ? html`<strong>firing for ${span}</strong>` : `lasted ${span}`}`;
}

function toStep(view: View, notice: TimelineNotice): Html {
  const tone = toTone(notice.status);
  const category = notice.classification?.['category'];
  return html`<li class="${tone === 'none' ? '' : `is-${tone}`}">
    <div>${toKindWords(notice)}: received ${when(notice.received_at, view.zone)}</div>
    ${typeof category === 'string' ? html`<div class="small muted">Classified as ${category}</div>` : ''}
    <div>${clip(toVerdict(notice), 400)}</div>
    ${notice.missing.length === 0 ? '' : html`<div class="small">Missing when it was decided: ${clip(notice.missing.join(', '), 200)}</div>`}
    ${notice.deliveries.map((delivery) => html`<div class="small">${toDelivery(view, delivery)}</div>`)}
  </li>`;
}

function toDelivery({ zone }: View, delivery: TimelineDelivery): Html {
  const { status, attempts, last_error, sent_at, next_attempt_at, instead_of } = delivery;
  const channel = instead_of === null ? delivery.channel : `${delivery.channel} in place of ${instead_of}`;
  const tries = attempts > 1 ? ` at try ${attempts}` : '';
  if (status === 'sent' && sent_at !== null) return html`Sent to ${channel}${tries}, ${when(sent_at, zone)}`;
  const error = last_error === null ? '' : `: ${clip(last_error, 300)}`;
  if (status === 'dead')
    return html`${channel} failed for good after ${count(attempts, 'try').replace('trys', 'tries')}${error}`;
  if (status === 'sending') return html`Being sent to ${channel}`;
  return html`${channel} is tried again ${when(next_attempt_at, zone)}${error}`;
}
