/** What is reachable, what is configured (by name, never by value), and how Alertmanager is pointed here. */
import { html } from 'hono/html';
import type { Check } from '../../../shared/diagnosis.ts';
import type { Audit } from '../../../shared/postgres/audit.ts';
import { EVERY_CHANNEL } from '../../../shared/postgres/channel-tests.ts';
import type { ChannelTest } from '../../../shared/postgres/channel-tests.ts';
import type { DeadLetterLine, Heartbeat, StoreFacts } from '../../../shared/postgres/overview.ts';
import { table, tag, when } from './layout.ts';
import type { Html } from './layout.ts';
import { toAuditCard } from './now.ts';
import { toSpan } from './sentences.ts';
import { clip, frame } from './view.ts';
import type { View } from './view.ts';

/** A heartbeat unseen for longer is shown as late: twice Alertmanager's default `repeat_interval`, as in receive. */
const HEARTBEAT_LATE_S = 2 * 4 * 3_600;

/** What to add to Alertmanager's configuration; `group_wait` is short, because what is over before it is never seen. */
const ALERTMANAGER_YAML = `route:
  routes:
    - receiver: alertgest
      continue: true          # keep your own routes; keep a direct route for critical
      group_wait: 5s
      group_interval: 30s
      repeat_interval: 4h
receivers:
  - name: alertgest
    webhook_configs:
      - url: http://receive.alertgest.svc.cluster.local/api/v1/alerts
        send_resolved: true
        max_alerts: 0
        http_config:
          authorization:
            credentials_file: /etc/alertmanager/secrets/alertgest-token   # RECEIVE_TOKEN
`;

export interface SetupData {
  readonly store: StoreFacts;
  readonly audit: Audit;
  readonly counters: Readonly<Record<string, number>>;
  readonly deadLetters: readonly DeadLetterLine[];
  readonly heartbeats: readonly Heartbeat[];
  readonly tests: readonly ChannelTest[];
  readonly findings: readonly Check[];
  /** What became of what was just asked for; null when nothing was. */
  readonly said: string | null;
  /** Name of each variable of the console, and whether it is set. */
  readonly variables: ReadonlyArray<{ readonly name: string; readonly isSet: boolean }>;
}

/** Renders the page. */
export function toSetupPage(view: View, data: SetupData): Html {
  const { store, counters, deadLetters, heartbeats, variables, tests, findings, said } = data;
  return frame(view, {
    title: 'Setup',
    here: 'setup',
    content: html`<h1>Setup</h1>
      ${said === null ? '' : html`<p class="card fine" role="status">${said}</p>`} ${toAuditCard(data.audit)}
      <section class="card">
        <h2>Stores</h2>
        <dl class="facts">
          <dt>Postgres</dt>
          <dd>
            ${tag('reachable', 'good')} version ${store.version}, database ${store.database}, ${store.size},
            schema ${store.migration ?? 'without migrations'}
          </dd>
          <dt>Redis</dt>
          <dd>The console does not use it; suppress-check answers for it at <code>/ready</code>.</dd>
        </dl>
      </section>
      <section class="card">
        <h2>What doctor finds here</h2>
        ${toFindings(findings)}
        <p class="small muted">
          <code>alertgest doctor</code> also looks at broker, links, senders, model and cluster, from where
          you run it.
        </p>
      </section>
      <section class="card">
        <h2>Heartbeats</h2>
        ${
          heartbeats.length === 0
            ? html`<p>
                None was seen. Route an alert that always fires (Watchdog) here, so that silence is noticed.
              </p>`
            : html`<ul class="plain">
                ${heartbeats.map((beat) => toHeartbeat(view, beat))}
              </ul>`
        }
      </section>
      <section class="card" id="channels">
        <h2>Channels</h2>
        ${toChannels(view, tests)}
      </section>
      <section class="card">
        <h2>Point Alertmanager here</h2>
        <pre tabindex="0" role="region" aria-label="Alertmanager configuration">${ALERTMANAGER_YAML}</pre>
        <p class="small">
          On one machine the address is <code>http://127.0.0.1:8080/api/v1/alerts</code>, or where you started
          it.
        </p>
      </section>
      <section class="card">
        <h2>Configured</h2>
        <p class="small muted">The console's variables, by name only. Each function has its own.</p>
        <dl class="facts small">
          ${variables.map(
            ({ name, isSet }) =>
              html`<dt><code>${name}</code></dt>
                <dd>${isSet ? 'set' : 'not set'}</dd>`,
          )}
        </dl>
      </section>
      <section class="card">
        <h2>Counters</h2>
        ${
          Object.keys(counters).length === 0
            ? html`<p class="muted">Nothing was counted yet.</p>`
            : html`<dl class="facts small">
                ${Object.entries(counters).map(
                  ([name, value]) =>
                    html`<dt>${clip(name, 80)}</dt>
                      <dd>${value.toLocaleString('en-GB')}</dd>`,
                )}
              </dl>`
        }
      </section>
      <h2>Dead letters</h2>
      <p class="small muted">Events the broker gave up on. Only a record: the sweep carries the work on.</p>
      ${deadLetters.length === 0 ? html`<p class="card">None.</p>` : toDeadLetters(view, deadLetters)}`,
  });
}

const TONES = { ok: 'good', off: 'info', warn: 'warning', fail: 'critical' } as const;
const WORDS = { ok: 'fine', off: 'off', warn: 'look here', fail: 'broken' } as const;

function toFindings(findings: readonly Check[]): Html {
  return html`<ul class="plain">
    ${findings.map(
      ({ name, verdict, detail, fix }) =>
        html`<li>
          ${tag(WORDS[verdict], TONES[verdict])} <strong>${clip(name, 80)}</strong>: ${clip(detail, 300)}
          ${fix === undefined ? '' : html`<div class="small muted">→ ${clip(fix, 400)}</div>`}
        </li>`,
    )}
  </ul>`;
}

function toChannels(view: View, tests: readonly ChannelTest[]): Html {
  const waits = tests.some(({ asked_at }) => asked_at !== null);
  const known = tests.filter(({ channel }) => channel !== EVERY_CHANNEL);
  return html`<p class="small muted">
      A test is one message that says so; what it opens at a pager is closed again.
      ${waits ? 'One was asked for and notify has not taken it up yet: reload in a moment.' : ''}
    </p>
    ${
      known.length === 0
        ? html`<p>No channel was used or tested yet.</p>`
        : html`<ul class="plain">
            ${known.map((test) => toChannel(view, test))}
          </ul>`
    }
    ${toTestForm(view, EVERY_CHANNEL, 'Send a test to every channel')}`;
}

function toChannel(view: View, { channel, tested_at, taken, answer }: ChannelTest): Html {
  return html`<li>
    <div class="row channel">
      <div class="grow">
        ${taken === null ? tag('not tested', 'info') : taken ? tag('works', 'good') : tag('refused', 'critical')}
        <strong>${clip(channel, 80)}</strong>
        ${tested_at === null ? '' : html`<div class="muted small">tested ${when(tested_at, view.zone)}</div>`}
      </div>
      ${toTestForm(view, channel, 'Send a test')}
    </div>
    ${
      answer === null
        ? ''
        : html`<pre tabindex="0" role="region" aria-label="Answer of the test">${clip(answer, 600)}</pre>`
    }
  </li>`;
}

function toTestForm(view: View, channel: string, label: string): Html {
  return html`<form method="post" action="/setup/test">
    ${view.formFields}<input type="hidden" name="channel" value="${channel}" />
    <button class="quiet-button">
      ${label}${channel === EVERY_CHANNEL ? '' : html`<span class="hidden"> to ${clip(channel, 80)}</span>`}
    </button>
  </form>`;
}

function toHeartbeat(view: View, { alertname, last_seen, age_s }: Heartbeat): Html {
  const isLate = age_s > HEARTBEAT_LATE_S;
  return html`<li>
    ${isLate ? tag('late', 'critical') : tag('alive', 'good')} ${clip(alertname, 80)}, last seen
    ${when(last_seen, view.zone)}${isLate ? ` (${toSpan(age_s * 1_000)} ago)` : ''}
  </li>`;
}

function toDeadLetters(view: View, letters: readonly DeadLetterLine[]): Html {
  return table(
    'Dead letters, latest first',
    [{ label: 'When' }, { label: 'Event' }, { label: 'For' }, { label: 'Answer' }],
    letters.map(({ recorded_at, type, subject, destination, code, detail }) => [
      html`<div>${when(recorded_at, view.zone)}</div>`,
      html`<div>
        ${clip(type, 100)}
        <div class="muted small">${clip(subject ?? '', 100)}</div>
      </div>`,
      clip(destination ?? '', 120),
      html`<div>${code ?? ''} <span class="small">${clip(detail ?? '', 200)}</span></div>`,
    ]),
  );
}
