/**
 * Microsoft Teams: an Adaptive Card through a Workflows webhook. The flow accepts first and posts later, so a yes means
 * that Power Automate has the card, not that anybody sees it.
 */
import * as z from 'zod';

import {
  readConfig,
  secretUrlVariable,
  sendResolvedVariable,
  type Channel,
  type ChannelDefinition,
} from '../channel.ts';
import { disarm } from '../card-text.ts';
import { toDigestCard } from '../digest-card.ts';
import { toLinks, toProse } from '../links.ts';
import type { Message, Priority } from '../message.ts';
import { callProvider } from '../provider.ts';
import { truncateBy, truncateRunes } from '../text.ts';

/**
 * https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using: 28 KB with what
 * Teams adds. https://github.com/MicrosoftDocs/msteams-docs/issues/11274 saw 24,453 bytes counted as 28,897; 20,000
 * keep the same distance once more.
 */
const DOCUMENT_BYTES = 20_000;
/** None is documented for a line; ours, for what a card can show. */
const TITLE_CHARS = 250;
/** https://adaptivecards.io/explorer/TextRun.html: the colours a host themes. */
const COLORS = {
  high: 'attention',
  normal: 'warning',
  low: 'accent',
  silent: 'default',
} as const satisfies Record<Priority, string>;

const teamsEnvSchema = z.object({
  TEAMS_WEBHOOK_URL: secretUrlVariable(
    'TEAMS_WEBHOOK_URL',
    'https://….environment.api.powerplatform.com/powerautomate/…',
  ),
  TEAMS_SEND_RESOLVED: sendResolvedVariable('TEAMS_SEND_RESOLVED'),
});
export type TeamsConfig = z.output<typeof teamsEnvSchema>;

/** The envelope and its card; all text is in TextRuns, which know no Markdown, so nothing in it can become a link. */
export function toTeams(message: Message) {
  const title = disarm(truncateRunes(message.title, TITLE_CHARS));
  const documentOf = (lines: readonly string[]) => ({
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          msteams: { width: 'Full' },
          body: [toTitle(title, message), ...lines.map(toLine)],
          actions: toLinks(message).map(({ label, url }) => ({ type: 'Action.OpenUrl', title: label, url })),
        },
      },
    ],
  });
  const room = DOCUMENT_BYTES - bytesOf(documentOf([])) - LINE_BYTES;
  const text = truncateBy(disarm(toProse(message)), room, sizeOf);
  return documentOf(text === '' ? [] : text.split('\n'));
}

function toTitle(text: string, { priority, resolved }: Message) {
  const color = resolved ? 'good' : COLORS[priority];
  return {
    type: 'RichTextBlock',
    inlines: [{ type: 'TextRun', text, size: 'medium', weight: 'bolder', color }],
  };
}

function toLine(text: string) {
  return { type: 'RichTextBlock', spacing: 'small', inlines: [{ type: 'TextRun', text }] };
}

/** What an empty line adds to the document, with its comma. */
const LINE_BYTES = bytesOf(toLine('')) + 1;

/** What a part of the text adds to the document: a line end starts a block of its own. */
function sizeOf(part: string): number {
  return part
    .split('\n')
    .map((text) => bytesOf(text) - 2)
    .reduce((sum, bytes) => sum + LINE_BYTES + bytes);
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** The card of a digest where the message is one. */
function toDocument(message: Message): object {
  return message.digest === undefined ? toTeams(message) : toDigestCard(message.digest);
}

/** A channel that posts through one flow. */
export function createTeams(config: TeamsConfig, name = 'teams'): Channel {
  return {
    name,
    type: 'teams',
    sendResolved: config.TEAMS_SEND_RESOLVED,
    closes: false,
    keyed: false,
    send: (message, { signal }) =>
      callProvider({
        channel: name,
        url: config.TEAMS_WEBHOOK_URL,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(toDocument(message)),
        signal,
        retries: (status) => status === 408 || status === 429 || status >= 500,
        accepted,
      }),
  };
}

/**
 * A flow answers 202 with nothing, or whatever its last step says. Connectors of old put "returned HTTP error 429" into
 * a 200, and Power Automate an `error` object: those are a no.
 */
function accepted(body: unknown, text: string): null | undefined {
  const failed = z
    .looseObject({ error: z.unknown().refine((error) => Boolean(error)) })
    .safeParse(body).success;
  return failed || /HTTP error \d{3}|delivery failed/i.test(text) ? undefined : null;
}

export const teams: ChannelDefinition<TeamsConfig> = {
  type: 'teams',
  keyed: false,
  facts: {
    title: 'Microsoft Teams',
    docs: 'https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using',
    limits: `card ${DOCUMENT_BYTES} bytes (of 28 KB with what Teams adds)`,
    rate: '4 a second, 60 in 30 s, 100 an hour for connectors; flows as Power Automate allows',
    loudness: 'as the channel is set',
    button: 'link',
    closes: null,
    updates: null,
    collapses: null,
  },
  variables: Object.keys(teamsEnvSchema.shape),
  fromEnv: (env) => readConfig(env, teamsEnvSchema),
  create: createTeams,
  preview: toTeams,
};
