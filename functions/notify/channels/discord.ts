/** Discord: an embed in one channel, by a webhook. What was posted can be edited, so the end turns it green. */
import * as z from 'zod';

import { DeliveryError } from '../../../shared/errors.ts';
import type { HttpResponse } from '../../../shared/http.ts';
import { readConfig, secretUrlVariable, type Channel, type ChannelDefinition } from '../channel.ts';
import { toLinks, toProse } from '../links.ts';
import type { Message, Priority } from '../message.ts';
import { callProvider } from '../provider.ts';
import { truncateEncoded, truncateRunes } from '../text.ts';

/** https://docs.discord.com/developers/resources/message#embed-object-embed-limits: characters; 6,000 together. */
const TITLE_CHARS = 256;
const DESCRIPTION_CHARS = 4_096;
/** https://docs.discord.com/developers/components/reference#button: characters of label and address. */
const LABEL_CHARS = 80;
const URL_CHARS = 512;
/** The stripe beside the embed. */
const COLORS = {
  high: 0xd32f2f,
  normal: 0xf57c00,
  low: 0x1976d2,
  silent: 0x757575,
} as const satisfies Record<Priority, number>;
const GREEN = 0x388e3c;
/** https://docs.discord.com/developers/resources/message#message-object-message-flags: SUPPRESS_NOTIFICATIONS. */
const WITHOUT_NOTIFICATION = 1 << 12;

const discordEnvSchema = z.object({
  DISCORD_WEBHOOK_URL: secretUrlVariable('DISCORD_WEBHOOK_URL', 'https://discord.com/api/webhooks/…/…'),
  DISCORD_SEND_RESOLVED: z
    .enum(['true', 'false'], {
      error: 'DISCORD_SEND_RESOLVED is neither true nor false, for example DISCORD_SEND_RESOLVED=true',
    })
    // The end only edits a message, which disturbs nobody.
    .default('true'),
});
export type DiscordConfig = z.output<typeof discordEnvSchema>;

/** One embed and its buttons; nobody is mentioned, whatever the text says. */
export function toDiscord(message: Message) {
  const links = toLinks(message).filter(({ url }) => url.length <= URL_CHARS);
  const page = links[0]?.url;
  return {
    allowed_mentions: { parse: [] },
    ...(message.priority === 'silent' && { flags: WITHOUT_NOTIFICATION }),
    embeds: [
      {
        title: truncateEncoded(message.title, TITLE_CHARS, escape, lengthOf),
        description: truncateEncoded(toProse(message), DESCRIPTION_CHARS, escape, lengthOf),
        color: message.resolved ? GREEN : COLORS[message.priority],
        ...(page !== undefined && { url: page }),
      },
    ],
    // https://docs.discord.com/developers/components/reference: an action row (1) of link buttons (2, style 5).
    components:
      links.length === 0
        ? []
        : [
            {
              type: 1,
              components: links.map(({ label, url }) => ({
                type: 2,
                style: 5,
                label: truncateRunes(label, LABEL_CHARS),
                url,
              })),
            },
          ],
  };
}

/** Every sign that Discord's Markdown, mentions, timestamps or emoji could begin or end with. */
function escape(text: string): string {
  return text.replaceAll(/[\\*_~`|>#[\]()<@]/g, '\\$&');
}

/** Discord does not say what a character is; UTF-16 units are never fewer than any other answer. */
function lengthOf(encoded: string): number {
  return encoded.length;
}

/** A channel that posts through one webhook. */
export function createDiscord(config: DiscordConfig, name = 'discord'): Channel {
  const call = (
    id: string | null,
    message: Message,
    signal: AbortSignal,
  ): Promise<{ providerId: string | null }> =>
    callProvider({
      channel: name,
      ...(id !== null && { method: 'PATCH' }),
      url: addressOf(config.DISCORD_WEBHOOK_URL, id),
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(toDiscord(message)),
      signal,
      retries: (status) => status === 408 || status === 429 || status >= 500,
      retryAfterMs,
      accepted,
      codeOf: (body) => z.object({ code: z.number() }).safeParse(body).data?.code,
    });
  return {
    name,
    type: 'discord',
    sendResolved: config.DISCORD_SEND_RESOLVED === 'true',
    closes: false,
    keyed: false,
    async send(message, { signal, previousId }) {
      if (message.resolved && previousId !== null) {
        try {
          return await call(previousId, message, signal);
        } catch (error) {
          // Somebody deleted it: then the end is a message of its own.
          if (!(error instanceof DeliveryError) || error.retryable) throw error;
        }
      }
      return call(null, message, signal);
    },
    async update(providerId, message, signal) {
      await call(providerId, message, signal);
    },
  };
}

/**
 * https://docs.discord.com/developers/resources/webhook#execute-webhook: without `wait` a message that was not saved is
 * no error, and without `with_components` the buttons are left out in silence. A thread in the address stays.
 */
function addressOf(webhookUrl: string, id: string | null): string {
  const url = new URL(webhookUrl);
  if (id === null) url.searchParams.set('wait', 'true');
  else url.pathname += `/messages/${encodeURIComponent(id)}`;
  url.searchParams.set('with_components', 'true');
  return url.href;
}

/** https://docs.discord.com/developers/topics/rate-limits: seconds with a fraction, in the body of a 429. */
function retryAfterMs({ status, body }: HttpResponse): number | undefined {
  if (status !== 429) return undefined;
  const seconds = /"retry_after"\s*:\s*(\d+(?:\.\d+)?)/.exec(body)?.[1];
  return seconds === undefined ? undefined : Math.ceil(Number(seconds) * 1000);
}

/** The saved message comes back with its id; an error has a code instead. */
function accepted(body: unknown): string | undefined {
  const parsed = z.object({ id: z.string().min(1), code: z.undefined().optional() }).safeParse(body);
  return parsed.success ? parsed.data.id : undefined;
}

export const discord: ChannelDefinition<DiscordConfig> = {
  type: 'discord',
  keyed: false,
  facts: {
    title: 'Discord',
    docs: 'https://docs.discord.com/developers/resources/webhook#execute-webhook',
    limits: `title ${TITLE_CHARS}, text ${DESCRIPTION_CHARS} characters`,
    rate: 'told with each answer; about 5 in 2 s',
    loudness: 'as the channel is set; quiet ones notify nobody',
    button: 'link',
    closes: null,
    updates: 'edits its message',
    collapses: null,
  },
  variables: Object.keys(discordEnvSchema.shape),
  fromEnv: (env) => readConfig(env, discordEnvSchema),
  create: createDiscord,
  preview: toDiscord,
};
