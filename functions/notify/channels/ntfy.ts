/** ntfy: a push to everyone subscribed to a topic; messages of one incident replace each other (server 2.16 and newer). */
import * as z from 'zod';

import { DECISION_HEADER } from '../../../shared/decision-link.ts';
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
import { truncateBytes, truncateRunes } from '../text.ts';

/** https://docs.ntfy.sh/publish/#limitations: a longer message becomes an attachment. */
const MESSAGE_BYTES = 4_096;
/** https://docs.ntfy.sh/publish/#publish-as-json: the server reads twice the message limit; a little is kept free. */
const DOCUMENT_BYTES = 8_000;
/** None is documented for the title; ours, for what a phone can show. */
const TITLE_CHARS = 250;
/** https://docs.ntfy.sh/publish/#message-priority: 5 rings long, 3 is normal, 2 and 1 are silent. */
const PRIORITIES = { high: 5, normal: 3, low: 2, silent: 1 } as const satisfies Record<Priority, number>;
/** https://docs.ntfy.sh/publish/#updating-deleting-notifications; kept to what a topic may be made of. */
const SEQUENCE_ID_CHARS = 64;

const ntfyEnvSchema = z
  .object({
    NTFY_URL: serverVariable('NTFY_URL', 'https://ntfy.example.org')
      // https://docs.ntfy.sh/config/#config-options: ntfy cannot live below a path, so this is a topic put in by mistake.
      .refine((url) => URL.parse(url)?.pathname === '/', {
        error:
          'NTFY_URL is the server alone, the topic goes to NTFY_TOPIC, for example NTFY_URL=https://ntfy.sh',
      })
      .default('https://ntfy.sh'),
    NTFY_TOPIC: z
      .string({ error: 'NTFY_TOPIC is missing, for example NTFY_TOPIC=alerts-7f3a9c' })
      .regex(/^[-\w]{1,64}$/, {
        error: 'NTFY_TOPIC is not 1 to 64 letters, digits, - or _, for example NTFY_TOPIC=alerts-7f3a9c',
      }),
    NTFY_TOKEN: wordVariable('NTFY_TOKEN', 'tk_the-access-token').optional(),
    NTFY_USER: wordVariable('NTFY_USER', 'alertgest').optional(),
    NTFY_PASSWORD: z.string().optional(),
    NTFY_SEND_RESOLVED: sendResolvedVariable('NTFY_SEND_RESOLVED'),
  })
  .refine((env) => (env.NTFY_USER === undefined) === (env.NTFY_PASSWORD === undefined), {
    error: 'NTFY_USER and NTFY_PASSWORD belong together, for example NTFY_USER=alertgest NTFY_PASSWORD=…',
    when: () => true,
  })
  .refine((env) => env.NTFY_TOKEN === undefined || env.NTFY_USER === undefined, {
    error: 'NTFY_TOKEN and NTFY_USER exclude each other, for example only NTFY_TOKEN=tk_…',
    when: () => true,
  });
export type NtfyConfig = z.output<typeof ntfyEnvSchema>;

/** The JSON document for the server's root, cut so that the escaped document fits as well as the message. */
export function toNtfy(message: Message, topic: string) {
  const tap = message.button?.pageUrl ?? message.link;
  const actions = toActions(message);
  const documentOf = (messageBytes: number) => ({
    topic,
    sequence_id: message.key.replaceAll(/[^-\w]/g, '-').slice(0, SEQUENCE_ID_CHARS),
    title: truncateRunes(message.title, TITLE_CHARS),
    message: truncateBytes(message.body, messageBytes),
    priority: PRIORITIES[message.priority],
    tags: message.tags,
    ...(tap !== null && { click: tap }),
    ...(actions.length > 0 && { actions }),
  });
  let bytes = MESSAGE_BYTES;
  // Quotes and backslashes double in JSON, so a message within its own limit can still be too long a document.
  while (bytes > 0 && Buffer.byteLength(JSON.stringify(documentOf(bytes))) > DOCUMENT_BYTES) bytes -= 256;
  return documentOf(bytes);
}

/**
 * At most three buttons (https://docs.ntfy.sh/publish/#action-buttons). The one that acts posts its token in a header,
 * so that no server's log of addresses holds it, and clears the notification once the console said yes.
 */
function toActions({ button, runbookUrl }: Message): readonly object[] {
  const act = button?.act ?? null;
  return [
    button !== null &&
      act !== null && {
        action: 'http',
        label: button.label,
        url: act.url,
        method: 'POST',
        headers: { [DECISION_HEADER]: act.token },
        clear: true,
      },
    button !== null && { action: 'view', label: 'Details', url: button.pageUrl },
    runbookUrl !== null && { action: 'view', label: 'Runbook', url: runbookUrl },
  ].filter((action) => action !== false);
}

/** A channel that publishes to one topic. */
export function createNtfy(config: NtfyConfig, name = 'ntfy'): Channel {
  const publish = (message: Message, signal: AbortSignal): Promise<{ providerId: string | null }> =>
    callProvider({
      channel: name,
      url: `${config.NTFY_URL}/`,
      headers: {
        'content-type': 'application/json',
        ...authorization(config),
      },
      body: JSON.stringify(toNtfy(message, config.NTFY_TOPIC)),
      signal,
      // 507: https://docs.ntfy.sh/config/#rate-limiting, the server's own storage limit.
      retries: (status) => status === 408 || status === 429 || status >= 500,
      accepted,
    });
  return {
    name,
    type: 'ntfy',
    sendResolved: config.NTFY_SEND_RESOLVED,
    closes: false,
    keyed: true,
    send: (message, { signal }) => publish(message, signal),
    // The same sequence id takes the place of what was there; without a sound it is no second push.
    async update(_providerId, message, signal) {
      await publish({ ...message, priority: 'silent' }, signal);
    },
  };
}

function authorization(config: NtfyConfig): Record<string, string> {
  if (config.NTFY_TOKEN !== undefined) return { authorization: `Bearer ${config.NTFY_TOKEN}` };
  if (config.NTFY_USER === undefined) return {};
  const pair = Buffer.from(`${config.NTFY_USER}:${config.NTFY_PASSWORD}`).toString('base64');
  return { authorization: `Basic ${pair}` };
}

/** The published message comes back with its id and `event: message`; an error has a code instead. */
function accepted(body: unknown): string | undefined {
  const parsed = z.object({ id: z.string(), event: z.literal('message') }).safeParse(body);
  return parsed.success ? parsed.data.id : undefined;
}

export const ntfy: ChannelDefinition<NtfyConfig> = {
  type: 'ntfy',
  keyed: true,
  facts: {
    title: 'ntfy',
    docs: 'https://docs.ntfy.sh/publish/',
    limits: `text ${MESSAGE_BYTES}, document ${DOCUMENT_BYTES} bytes`,
    rate: '60 at once, then 1 in 5 s; ntfy.sh 250 a day',
    loudness: `priority ${PRIORITIES.high} / ${PRIORITIES.normal} / ${PRIORITIES.low}`,
    button: 'acts',
    closes: null,
    updates: 'the sequence id replaces it (server 2.16)',
    collapses: 'sequence id (server 2.16)',
  },
  variables: Object.keys(ntfyEnvSchema.shape),
  fromEnv: (env) => readConfig(env, ntfyEnvSchema),
  create: createNtfy,
  preview: (message) => toNtfy(message, 'your-topic'),
};
