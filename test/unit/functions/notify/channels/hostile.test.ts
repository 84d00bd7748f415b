/** Texts that want to be more than text, through every format: nothing becomes a link, an image, a mention or a template. */
import { describe, expect, it } from 'vitest';

import { toDiscord } from '../../../../../functions/notify/channels/discord.ts';
import { toEmail } from '../../../../../functions/notify/channels/email.ts';
import { toGotify } from '../../../../../functions/notify/channels/gotify.ts';
import { CHANNEL_TYPES } from '../../../../../functions/notify/channels/index.ts';
import { toNtfy } from '../../../../../functions/notify/channels/ntfy.ts';
import { toPushover } from '../../../../../functions/notify/channels/pushover.ts';
import { toSlack } from '../../../../../functions/notify/channels/slack.ts';
import { toSms } from '../../../../../functions/notify/channels/sms.ts';
import { toTeams } from '../../../../../functions/notify/channels/teams.ts';
import hostileTexts from '../../../../fixtures/hostile-texts.json' with { type: 'json' };
import { readCorpusLines, whyNoCorpora } from '../../../../support/corpora.ts';
import { makeButton, makeMessage } from '../../../../support/messages.ts';

const RUNBOOK = 'https://runbooks.example.org/memory';
const OURS = [makeButton().pageUrl, 'https://alertgest.example.org/issues/1', RUNBOOK];
/** Everything that may be live in any document: our pages, the button's address and the schema of cards. */
const LIVE = new Set([
  ...OURS,
  'https://alertgest.example.org/d',
  'http://adaptivecards.io/schemas/adaptive-card.json',
]);
/** Bidi controls, zero-width characters and everything else that is not seen. */
const INVISIBLE = /[\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2060}-\u{2069}\u{feff}\u{61c}\u{e0000}-\u{e007f}]/u;

function hostileMessage(text: string) {
  return makeMessage(
    { button: makeButton() },
    {
      alertname: text,
      summary: text,
      description: `d ${text}`,
      namespace: text,
      identity: text,
      nextStep: text,
      samples: [text],
    },
  );
}

/** What the text became that it must not become, by channel; empty when it stayed text everywhere. */
function findHarm(text: string): readonly string[] {
  const message = hostileMessage(text);
  const gotify = toGotify(message);
  const form = new URLSearchParams(new URLSearchParams(toPushover(message)).toString());
  const slack = JSON.stringify(toSlack(message));
  const teams = JSON.stringify(toTeams(message));
  const [embed] = toDiscord(message).embeds;
  const discord = `${embed?.title}\n${embed?.description}`.replaceAll(/\\[^0-9A-Za-z\s]/g, '');
  const mail = toEmail(message);
  const hrefs = Array.from(mail.html.matchAll(/href="([^"]*)"/g), ([, href]) => href);
  const harms: Readonly<Record<string, boolean>> = {
    'gotify: Markdown': gotify.extras['client::display'].contentType !== 'text/plain',
    'ntfy: Markdown': 'markdown' in toNtfy(message, 't'),
    'ntfy: another topic': toNtfy(message, 't').topic !== 't',
    'pushover: HTML': form.has('html'),
    'pushover: another field': form.getAll('priority').join(',') !== '1',
    'slack: markup': /[<>]|"mrkdwn"(?!:false)|"image"/.test(slack),
    'teams: markup': /\{\{|\$\{|"TextBlock"|"Image"|"entities"/.test(teams),
    'discord: markup': /[*_~`|>#[\]()<@]/.test(discord),
    'email: another header': /[\r\n]/.test(mail.subject),
    'email: another element': /<(?!\/?(?:html|body|p|strong|a|br|!doctype)\b)[^>]*>/.test(mail.html),
    'email: another link': hrefs.join(' ') !== OURS.join(' '),
    'sms: another alphabet': !/^[\n\x20-\x5f\x61-\x7e]+$/.test(toSms(message)),
  };
  return [
    ...Object.keys(harms).filter((harm) => harms[harm]),
    ...CHANNEL_TYPES.flatMap(({ type, preview }) => {
      const document = JSON.stringify(preview(message));
      const links = document.match(/https?:\/\/[^\s"'<>\\)]+/g) ?? [];
      // The webhook's facts are for machines, which may need an address as it was.
      const foreign = type === 'webhook' ? [] : links.filter((link) => !LIVE.has(link));
      return [...foreign, ...(INVISIBLE.test(document) ? ['hidden characters'] : [])].map(
        (harm) => `${type}: ${harm}`,
      );
    }),
  ];
}

describe.each(hostileTexts)('against: $title', ({ text }) => {
  it('every channel shows text and only our own links', () => {
    expect(findHarm(text)).toEqual([]);
  });
});

const skipped = whyNoCorpora('hostile texts in channels');

describe('against the corpus of bad bodies', () => {
  it.skipIf(skipped !== null)('every channel shows text and only our own links', () => {
    const rows = readCorpusLines<{ invariants: string[]; body_b64?: string }>('bad.jsonl');
    const bodies = rows
      .filter(({ invariants }) => invariants.includes('escaped'))
      .map(({ body_b64 = '' }) => Buffer.from(body_b64, 'base64').toString('utf8'));
    expect(bodies.length).toBeGreaterThan(5);
    const texts = new Set(bodies.flatMap((body) => stringsOf(body)));
    for (const text of texts) expect(findHarm(text), text.slice(0, 200)).toEqual([]);
  });
});

/** Every string of a JSON document; the document itself where it is none. */
function stringsOf(body: string): readonly string[] {
  const strings: string[] = [];
  try {
    JSON.parse(body, (key, value: unknown) => {
      strings.push(key);
      if (typeof value === 'string') strings.push(value);
      return value;
    });
  } catch {
    strings.push(body);
  }
  return strings;
}
