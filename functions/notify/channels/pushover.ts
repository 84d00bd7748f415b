/** Pushover: a push to one user or group. A tap shows the message with one link below it. */
import * as z from 'zod';

import type { HttpResponse } from '../../../shared/http.ts';
import {
  readConfig,
  sendResolvedVariable,
  serverVariable,
  wordVariable,
  type Channel,
  type ChannelDefinition,
} from '../channel.ts';
import type { Message, Priority } from '../message.ts';
import { callProvider } from '../provider.ts';
import { countRunes, truncateRunes } from '../text.ts';

/** https://pushover.net/api#limits: characters, of up to four bytes each. */
const MESSAGE_CHARS = 1_024;
const TITLE_CHARS = 250;
const URL_CHARS = 512;
/** https://pushover.net/api#priority: 1 passes quiet hours, 0 sounds, -1 is shown without a sound, -2 is not shown. */
const PRIORITIES = { high: 1, normal: 0, low: -1, silent: -1 } as const satisfies Record<Priority, number>;
/** https://pushover.net/api#friendly: no second request sooner than this after an error of theirs. */
const MIN_RETRY_MS = 5_000;
const MAX_RETRY_MS = 3_600_000;

const pushoverEnvSchema = z.object({
  PUSHOVER_URL: serverVariable('PUSHOVER_URL', 'https://api.pushover.net').default(
    'https://api.pushover.net',
  ),
  PUSHOVER_TOKEN: wordVariable('PUSHOVER_TOKEN', 'the-api-token-of-an-application'),
  PUSHOVER_USER: wordVariable('PUSHOVER_USER', 'the-user-or-group-key'),
  PUSHOVER_SEND_RESOLVED: sendResolvedVariable('PUSHOVER_SEND_RESOLVED'),
});
export type PushoverConfig = z.output<typeof pushoverEnvSchema>;

/** The form fields without token and user; neither `html` nor `monospace` is set, so the text stays text. */
export function toPushover(message: Message): Record<string, string> {
  const link = toLink(message);
  return {
    title: truncateRunes(message.title, TITLE_CHARS),
    // An empty message is refused.
    message: truncateRunes(message.body, MESSAGE_CHARS) || '(no details)',
    priority: String(PRIORITIES[message.priority]),
    ...(link.url !== null && countRunes(link.url) <= URL_CHARS && { url: link.url, url_title: link.title }),
  };
}

/** The one link there is room for: to decide, else to the issue, else to the runbook. */
function toLink({ button, link, runbookUrl }: Message): { url: string | null; title: string } {
  if (button !== null)
    return { url: button.pageUrl, title: button.act === null ? 'Details' : `${button.label}…` };
  return link === null ? { url: runbookUrl, title: 'Runbook' } : { url: link, title: 'Open the issue' };
}

/** A channel that pushes to one Pushover user or group. */
export function createPushover(config: PushoverConfig, name = 'pushover'): Channel {
  return {
    name,
    type: 'pushover',
    sendResolved: config.PUSHOVER_SEND_RESOLVED,
    closes: false,
    keyed: false,
    send: (message, { signal }) =>
      callProvider({
        channel: name,
        url: `${config.PUSHOVER_URL}/1/messages.json`,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({
          token: config.PUSHOVER_TOKEN,
          user: config.PUSHOVER_USER,
          ...toPushover(message),
        }).toString(),
        signal,
        retries: (status) => status === 429 || status >= 500,
        retryAfterMs,
        accepted,
      }),
  };
}

/** Over the quota: wait for the reset it names (Unix seconds), looking again at least every hour. */
function retryAfterMs(answer: HttpResponse, now: Date): number | undefined {
  if (answer.status >= 500) return MIN_RETRY_MS;
  if (answer.status !== 429) return undefined;
  const resetMs = Number(answer.headers['x-limit-app-reset'] ?? Number.NaN) * 1000 - now.getTime();
  return Number.isNaN(resetMs) ? undefined : Math.min(Math.max(resetMs, MIN_RETRY_MS), MAX_RETRY_MS);
}

/** `status: 1` is the only yes, whatever the HTTP status. */
function accepted(body: unknown): string | null | undefined {
  const parsed = z.object({ status: z.literal(1), request: z.string().optional() }).safeParse(body);
  return parsed.success ? (parsed.data.request ?? null) : undefined;
}

export const pushover: ChannelDefinition<PushoverConfig> = {
  type: 'pushover',
  keyed: false,
  facts: {
    title: 'Pushover',
    docs: 'https://pushover.net/api',
    limits: `title ${TITLE_CHARS}, text ${MESSAGE_CHARS}, link ${URL_CHARS} characters`,
    rate: '10,000 a month per account',
    loudness: `priority ${PRIORITIES.high} / ${PRIORITIES.normal} / ${PRIORITIES.low}`,
    button: 'link',
    closes: null,
    updates: null,
    collapses: null,
  },
  variables: Object.keys(pushoverEnvSchema.shape),
  fromEnv: (env) => readConfig(env, pushoverEnvSchema),
  create: createPushover,
  preview: toPushover,
};
