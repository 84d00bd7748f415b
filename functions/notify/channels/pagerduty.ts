/** PagerDuty: Events API v2. An incident opens one alert, which the incident's end resolves. */
import * as z from 'zod';

import type { HttpResponse } from '../../../shared/http.ts';
import type { Severity } from '../../../shared/severity.ts';
import { readConfig, serverVariable, type Channel, type ChannelDefinition } from '../channel.ts';
import { toLinks, toProse } from '../links.ts';
import type { Message } from '../message.ts';
import { callProvider } from '../provider.ts';
import { inert, truncateBytes, truncateRunes } from '../text.ts';

/** https://developer.pagerduty.com/docs/events-api-v2/trigger-events/: characters. */
const SUMMARY_CHARS = 1_024;
const KEY_CHARS = 255;
/** None is documented for names; ours, for what a column can show. */
const NAME_CHARS = 255;
/** https://developer.pagerduty.com/docs/events-api-v2/overview/#size-limits allows 512 KB; nobody reads that much. */
const TEXT_BYTES = 16_384;
/** The only four words there are. */
const SEVERITIES = {
  critical: 'critical',
  warning: 'warning',
  info: 'info',
  none: 'info',
  unknown: 'warning',
} as const satisfies Record<Severity, string>;
/** https://developer.pagerduty.com/docs/events-api-v2/overview/#api-response-codes--retry-logic: "a few minutes" after 429. */
const BACK_OFF_MS = 180_000;

const pagerdutyEnvSchema = z.object({
  PAGERDUTY_ROUTING_KEY: z
    .string({
      error:
        'PAGERDUTY_ROUTING_KEY is missing, for example the integration key of an Events API v2 integration',
    })
    .regex(/^[A-Za-z0-9]{32}$/, {
      error: 'PAGERDUTY_ROUTING_KEY is not the 32 letters and digits of an Events API v2 integration',
    }),
  PAGERDUTY_URL: serverVariable('PAGERDUTY_URL', 'https://events.eu.pagerduty.com').default(
    'https://events.pagerduty.com',
  ),
});
export type PagerdutyConfig = z.output<typeof pagerdutyEnvSchema>;

/**
 * The event without its routing key. A decision is somebody's answer, so it acknowledges; only news of the incident
 * itself may open anything.
 */
export function toPagerduty(message: Message) {
  const dedup_key = message.key.slice(0, KEY_CHARS);
  if (message.resolved) return { event_action: 'resolve', dedup_key } as const;
  if (message.isDecision) return { event_action: 'acknowledge', dedup_key } as const;
  const { facts, link } = message;
  const [identity, place, alertname] = [
    facts.identity,
    facts.namespace ?? facts.cluster,
    facts.alertname,
  ].map((name) => inert(name, NAME_CHARS));
  return {
    event_action: 'trigger',
    dedup_key,
    client: 'alertgest',
    ...(link !== null && { client_url: link }),
    payload: {
      summary: truncateRunes(message.title, SUMMARY_CHARS),
      source: identity || place || 'alertgest',
      // A quiet message must not ring where urgency follows severity.
      severity: message.priority === 'silent' ? 'info' : SEVERITIES[message.severity],
      ...(facts.startedAt !== null && { timestamp: facts.startedAt }),
      component: identity,
      group: place,
      class: alertname,
      custom_details: { text: truncateBytes(toProse(message), TEXT_BYTES) },
    },
    links: toLinks(message).map(({ label, url }) => ({ href: url, text: label })),
  } as const;
}

/** A channel that sends events to one service. */
export function createPagerduty(config: PagerdutyConfig, name = 'pagerduty'): Channel {
  return {
    name,
    type: 'pagerduty',
    sendResolved: true,
    closes: true,
    keyed: true,
    send: (message, { signal }) =>
      callProvider({
        channel: name,
        url: `${config.PAGERDUTY_URL}/v2/enqueue`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ routing_key: config.PAGERDUTY_ROUTING_KEY, ...toPagerduty(message) }),
        signal,
        retries: (status) => status === 408 || status === 429 || status >= 500,
        retryAfterMs: ({ status }: HttpResponse) => (status === 429 ? BACK_OFF_MS : undefined),
        accepted,
      }),
  };
}

/** 202 with `status: success` and the key. */
function accepted(body: unknown): string | null | undefined {
  const parsed = z.object({ status: z.literal('success'), dedup_key: z.string().optional() }).safeParse(body);
  return parsed.success ? (parsed.data.dedup_key ?? null) : undefined;
}

export const pagerduty: ChannelDefinition<PagerdutyConfig> = {
  type: 'pagerduty',
  keyed: true,
  facts: {
    title: 'PagerDuty',
    docs: 'https://developer.pagerduty.com/docs/events-api-v2/overview/',
    limits: `summary ${SUMMARY_CHARS}, key ${KEY_CHARS} characters, text ${TEXT_BYTES} bytes`,
    rate: 'varies; after 429 a few minutes',
    loudness: 'severity critical / warning / info',
    button: 'link',
    closes: 'resolves the alert',
    updates: null,
    collapses: '`dedup_key`',
  },
  variables: Object.keys(pagerdutyEnvSchema.shape),
  fromEnv: (env) => readConfig(env, pagerdutyEnvSchema),
  create: createPagerduty,
  preview: toPagerduty,
};
