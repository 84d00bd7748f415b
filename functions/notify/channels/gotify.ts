/** Gotify: a push to every client of one application. It has no buttons; a tap opens the issue. */
import * as z from 'zod';

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
import { truncateRunes } from '../text.ts';

/** https://gotify.net/api-docs documents no limits; these are ours, for what a phone can show. */
const TITLE_CHARS = 250;
const MESSAGE_CHARS = 4_000;
/** https://gotify.net/docs/priority: 8–10 vibrate, 4–7 sound, 1–3 an icon only, 0 nothing. */
const PRIORITIES = { high: 8, normal: 5, low: 2, silent: 1 } as const satisfies Record<Priority, number>;

const gotifyEnvSchema = z.object({
  GOTIFY_URL: serverVariable('GOTIFY_URL', 'https://gotify.example.org'),
  GOTIFY_TOKEN: wordVariable('GOTIFY_TOKEN', 'the-token-of-an-application'),
  GOTIFY_SEND_RESOLVED: sendResolvedVariable('GOTIFY_SEND_RESOLVED'),
});
export type GotifyConfig = z.output<typeof gotifyEnvSchema>;

/** The body of `POST /message`; https://gotify.net/docs/msgextras describes the extras. */
export function toGotify(message: Message) {
  const tap = message.button?.pageUrl ?? message.link;
  return {
    title: truncateRunes(message.title, TITLE_CHARS),
    message: truncateRunes(message.body, MESSAGE_CHARS),
    priority: PRIORITIES[message.priority],
    extras: {
      // Markdown would load remote images and hide where a link leads.
      'client::display': { contentType: 'text/plain' },
      ...(tap !== null && { 'client::notification': { click: { url: tap } } }),
    },
  };
}

/** A channel that pushes through one Gotify application. */
export function createGotify(config: GotifyConfig, name = 'gotify'): Channel {
  return {
    name,
    type: 'gotify',
    sendResolved: config.GOTIFY_SEND_RESOLVED,
    closes: false,
    keyed: false,
    send: (message, { signal }) =>
      callProvider({
        channel: name,
        url: `${config.GOTIFY_URL}/message`,
        headers: { 'content-type': 'application/json', 'x-gotify-key': config.GOTIFY_TOKEN },
        body: JSON.stringify(toGotify(message)),
        signal,
        retries: (status) => status === 408 || status === 429 || status >= 500,
        accepted,
      }),
  };
}

/** The stored message comes back with its number; an error object has none. */
function accepted(body: unknown): string | undefined {
  const parsed = z.object({ id: z.number() }).safeParse(body);
  return parsed.success ? String(parsed.data.id) : undefined;
}

export const gotify: ChannelDefinition<GotifyConfig> = {
  type: 'gotify',
  keyed: false,
  facts: {
    title: 'Gotify',
    docs: 'https://gotify.net/docs/pushmsg',
    limits: `title ${TITLE_CHARS}, text ${MESSAGE_CHARS} characters (ours)`,
    rate: 'none documented',
    loudness: `priority ${PRIORITIES.high} / ${PRIORITIES.normal} / ${PRIORITIES.low}`,
    button: 'link',
    closes: null,
    updates: null,
    collapses: null,
  },
  variables: Object.keys(gotifyEnvSchema.shape),
  fromEnv: (env) => readConfig(env, gotifyEnvSchema),
  create: createGotify,
  preview: toGotify,
};
