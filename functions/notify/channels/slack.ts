/**
 * Slack: a message in one channel, by an incoming webhook or as a bot. Only a bot can edit what it posted, so only there
 * the end of an incident turns its last message green instead of adding one.
 */
import * as z from 'zod';

import { DeliveryError } from '../../../shared/errors.ts';
import {
  readConfig,
  secretUrlVariable,
  serverVariable,
  wordVariable,
  type Channel,
  type ChannelDefinition,
} from '../channel.ts';
import { toDigestBlocks } from '../digest-blocks.ts';
import { toLinks, toProse } from '../links.ts';
import type { Message } from '../message.ts';
import { callProvider } from '../provider.ts';
import { truncateEncoded } from '../text.ts';

/** https://docs.slack.dev/reference/block-kit/blocks/header-block: characters. */
const HEADER_CHARS = 150;
/** https://docs.slack.dev/reference/block-kit/composition-objects/text-object: characters. */
const TEXT_CHARS = 3_000;
/** https://docs.slack.dev/reference/block-kit/block-elements/button-element: characters of label and address. */
const LABEL_CHARS = 75;
const URL_CHARS = 3_000;
/** https://docs.slack.dev/reference/methods/chat.postMessage#errors: those that pass; every other one stays. */
const PASSING = new Set(
  'fatal_error internal_error ratelimited rate_limited request_timeout service_unavailable team_added_to_org'.split(
    ' ',
  ),
);

const slackEnvSchema = z
  .object({
    SLACK_WEBHOOK_URL: secretUrlVariable(
      'SLACK_WEBHOOK_URL',
      'https://hooks.slack.com/services/T…/B…/…',
    ).optional(),
    SLACK_BOT_TOKEN: wordVariable('SLACK_BOT_TOKEN', 'xoxb-the-token-of-the-bot').optional(),
    SLACK_CHANNEL: z
      .string()
      .regex(/^[CGD][A-Z0-9]{6,}$/, {
        error: "SLACK_CHANNEL is not a channel's id, for example SLACK_CHANNEL=C024BE91L",
      })
      .optional(),
    SLACK_URL: serverVariable('SLACK_URL', 'https://slack.com').default('https://slack.com'),
    SLACK_SEND_RESOLVED: z
      .enum(['true', 'false'], {
        error: 'SLACK_SEND_RESOLVED is neither true nor false, for example SLACK_SEND_RESOLVED=true',
      })
      .optional(),
  })
  .refine((env) => (env.SLACK_BOT_TOKEN === undefined) === (env.SLACK_CHANNEL === undefined), {
    error: 'SLACK_BOT_TOKEN and SLACK_CHANNEL belong together, for example SLACK_CHANNEL=C024BE91L',
    when: () => true,
  })
  .refine((env) => (env.SLACK_WEBHOOK_URL === undefined) !== (env.SLACK_BOT_TOKEN === undefined), {
    error:
      'Slack takes either SLACK_WEBHOOK_URL or SLACK_BOT_TOKEN with SLACK_CHANNEL, for example only SLACK_WEBHOOK_URL=https://hooks.slack.com/…',
    when: () => true,
  });
export type SlackConfig = z.output<typeof slackEnvSchema>;

/** Text, blocks and nothing unfurled; everything is plain text, in which Slack looks for no markup. */
export function toSlack(message: Message) {
  if (message.digest !== undefined) return toDigestBlocks(message.digest);
  const prose = toProse(message);
  const buttons = toLinks(message)
    .filter(({ url }) => url.length <= URL_CHARS)
    .map(({ label, url }) => ({ type: 'button', text: toText(label, LABEL_CHARS), url }));
  return {
    // What a notification shows; the blocks take its place in the channel.
    text: truncateEncoded(message.title, TEXT_CHARS, escape, lengthOf),
    mrkdwn: false,
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: toText(message.title, HEADER_CHARS) },
      ...(prose === '' ? [] : [{ type: 'section', text: toText(prose, TEXT_CHARS) }]),
      ...(buttons.length === 0 ? [] : [{ type: 'actions', elements: buttons }]),
    ],
  };
}

function toText(text: string, maxChars: number) {
  return { type: 'plain_text', text: truncateEncoded(text, maxChars, escape, lengthOf), emoji: false };
}

/** https://docs.slack.dev/messaging/formatting-message-text/#escaping: the three characters that can start anything. */
function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Slack does not say what a character is; UTF-16 units are never fewer than any other answer. */
function lengthOf(encoded: string): number {
  return encoded.length;
}

/** A channel that posts to one Slack channel. */
export function createSlack(config: SlackConfig, name = 'slack'): Channel {
  const { SLACK_WEBHOOK_URL: webhookUrl, SLACK_SEND_RESOLVED: sendResolved } = config;
  const common = { name, type: 'slack', closes: false, keyed: false };
  if (webhookUrl !== undefined)
    return {
      ...common,
      sendResolved: sendResolved === 'true',
      send: (message, { signal }) =>
        callProvider({
          channel: name,
          url: webhookUrl,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(toSlack(message)),
          signal,
          retries,
          accepted: (_body, text) => (text.trim() === 'ok' ? null : undefined),
          codeOf: (_body, text) => text.trim(),
        }),
    };

  const call = (
    method: string,
    fields: object,
    signal: AbortSignal,
  ): Promise<{ providerId: string | null }> =>
    callProvider({
      channel: name,
      url: `${config.SLACK_URL}/api/${method}`,
      headers: {
        'content-type': 'application/json; charset=utf-8',
        authorization: `Bearer ${config.SLACK_BOT_TOKEN ?? ''}`,
      },
      body: JSON.stringify(fields),
      signal,
      retries,
      accepted: readPosted,
      refused: (body) => {
        const code = errorOf(body);
        return code !== undefined && !PASSING.has(code);
      },
      codeOf: errorOf,
    });
  const edit = (
    id: string,
    message: Message,
    signal: AbortSignal,
  ): Promise<{ providerId: string | null }> => {
    const [channel, ts] = id.split(':');
    return call('chat.update', { channel, ts, ...toSlack(message) }, signal);
  };
  return {
    ...common,
    // The end only edits a message, which disturbs nobody; so it is told unless told not to.
    sendResolved: sendResolved !== 'false',
    async send(message, { signal, previousId }) {
      if (message.resolved && previousId !== null) {
        try {
          return await edit(previousId, message, signal);
        } catch (error) {
          // Somebody deleted it, or it may no longer be edited: then the end is a message of its own.
          if (!(error instanceof DeliveryError) || error.retryable) throw error;
        }
      }
      return call('chat.postMessage', { channel: config.SLACK_CHANNEL, ...toSlack(message) }, signal);
    },
    async update(providerId, message, signal) {
      await edit(providerId, message, signal);
    },
  };
}

/** https://docs.slack.dev/apis/web-api/rate-limits: 429 with Retry-After, for webhooks as well. */
function retries(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** `ok: true` is the only yes; channel and time together name a message. */
function readPosted(body: unknown): string | undefined {
  const parsed = z
    .object({ ok: z.literal(true), channel: z.string().min(1), ts: z.string().min(1) })
    .safeParse(body);
  return parsed.success ? `${parsed.data.channel}:${parsed.data.ts}` : undefined;
}

function errorOf(body: unknown): string | undefined {
  const parsed = z.object({ ok: z.literal(false), error: z.string() }).safeParse(body);
  return parsed.success ? parsed.data.error : undefined;
}

export const slack: ChannelDefinition<SlackConfig> = {
  type: 'slack',
  keyed: false,
  facts: {
    title: 'Slack',
    docs: 'https://docs.slack.dev/reference/block-kit/blocks',
    limits: `title ${HEADER_CHARS}, text ${TEXT_CHARS} characters`,
    rate: 'about 1 a second per channel',
    loudness: 'as the channel is set',
    button: 'link',
    closes: null,
    updates: 'a bot edits its message; a webhook cannot',
    collapses: null,
  },
  variables: Object.keys(slackEnvSchema.shape),
  fromEnv: (env) => readConfig(env, slackEnvSchema),
  create: createSlack,
  preview: toSlack,
};
