/**
 * Webhook: a JSON document for whatever people run themselves.
 *
 * Shape, version 1 (fields may be added, none is removed or renamed):
 * `version, noticeKey, incidentKey, kind, severity, priority, resolved, title, body, link, runbookUrl, decision, tags, facts`.
 * `decision` is null or `{ label, pageUrl, act }`: POST to `act.url` with `act.token` in the header `X-Alertgest-Decision`;
 * `act` is null where only a signed-in person may decide.
 * The header `Idempotency-Key` repeats `noticeKey`: equal on every attempt for one piece of news.
 * The texts in it come from alerts: whoever renders them escapes them.
 */
import * as z from 'zod';

import {
  readConfig,
  sendResolvedVariable,
  urlVariable,
  wordVariable,
  type Channel,
  type ChannelDefinition,
} from '../channel.ts';
import type { Message } from '../message.ts';
import { callProvider } from '../provider.ts';
import { truncateBytes, truncateRunes } from '../text.ts';

/** No vendor, so these are ours; facts are bounded where they are made. */
const TITLE_CHARS = 250;
const BODY_BYTES = 16_384;

const webhookEnvSchema = z.object({
  WEBHOOK_URL: urlVariable('WEBHOOK_URL', 'https://hooks.example.org/alertgest'),
  WEBHOOK_TOKEN: wordVariable('WEBHOOK_TOKEN', 'a-long-random-word').optional(),
  WEBHOOK_SEND_RESOLVED: sendResolvedVariable('WEBHOOK_SEND_RESOLVED'),
});
export type WebhookConfig = z.output<typeof webhookEnvSchema>;

/** The document, as described at the top of this file. */
export function toWebhook(message: Message) {
  return {
    version: '1',
    noticeKey: message.noticeKey,
    incidentKey: message.key,
    kind: message.kind,
    severity: message.severity,
    priority: message.priority,
    resolved: message.resolved,
    title: truncateRunes(message.title, TITLE_CHARS),
    body: truncateBytes(message.body, BODY_BYTES),
    link: message.link,
    runbookUrl: message.runbookUrl,
    decision: message.button,
    tags: message.tags,
    facts: message.facts,
  } as const;
}

/** A channel that posts to one address. */
export function createWebhook(config: WebhookConfig, name = 'webhook'): Channel {
  return {
    name,
    type: 'webhook',
    sendResolved: config.WEBHOOK_SEND_RESOLVED,
    closes: false,
    keyed: true,
    send: (message, { signal }) =>
      callProvider({
        channel: name,
        url: config.WEBHOOK_URL,
        headers: {
          'content-type': 'application/json',
          'idempotency-key': message.noticeKey.replaceAll(/[^\x21-\x7e]/g, '-'),
          ...(config.WEBHOOK_TOKEN !== undefined && { authorization: `Bearer ${config.WEBHOOK_TOKEN}` }),
        },
        body: JSON.stringify(toWebhook(message)),
        signal,
        retries: (status) => status === 408 || status === 429 || status >= 500,
        accepted,
      }),
  };
}

/** Any 2xx is a yes, unless its JSON says `ok: false`, `success: false` or carries an `error`. */
function accepted(body: unknown): string | null | undefined {
  const parsed = z.looseObject({}).safeParse(body);
  if (!parsed.success) return null;
  const { ok, success, error, id } = parsed.data;
  if (ok === false || success === false) return undefined;
  if (error !== undefined && error !== null && error !== false && error !== '') return undefined;
  return typeof id === 'string' || typeof id === 'number' ? String(id).slice(0, 200) : null;
}

export const webhook: ChannelDefinition<WebhookConfig> = {
  type: 'webhook',
  keyed: true,
  facts: {
    title: 'Webhook',
    docs: 'https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/',
    limits: `title ${TITLE_CHARS} characters, text ${BODY_BYTES} bytes (ours)`,
    rate: 'yours',
    loudness: '`priority` in the document',
    button: 'acts',
    closes: null,
    updates: null,
    collapses: '`Idempotency-Key`',
  },
  variables: Object.keys(webhookEnvSchema.shape),
  fromEnv: (env) => readConfig(env, webhookEnvSchema),
  create: createWebhook,
  preview: toWebhook,
};
