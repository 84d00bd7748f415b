/** A digest as each channel shows it: within the vendor's limits, with every cut named and nothing of an alert alive. */
import { describe, expect, it } from 'vitest';
import { toDigestBlocks } from '../../../../functions/notify/digest-blocks.ts';
import { toDigestCard } from '../../../../functions/notify/digest-card.ts';
import { chooseDigestChannels } from '../../../../functions/notify/digest.ts';
import { toDigestMail } from '../../../../functions/notify/digest-mail.ts';
import { toDigestMessage } from '../../../../functions/notify/digest-message.ts';
import type { DigestDocument } from '../../../../shared/digest/document.ts';
import { toMarkdown, toPlainText, toShortText } from '../../../../shared/digest/markdown.ts';
import { toDocument } from '../../../../shared/digest/sections.ts';
import type { DigestRow } from '../../../../shared/postgres/digests.ts';
import { cardMessageSchema } from '../../../support/card-schema.ts';
import { createRandom, makeFacts, makePatterns } from '../../../support/made-nights.ts';
import hostileTexts from '../../../fixtures/hostile-texts.json' with { type: 'json' };

const pageUrl = 'https://alertgest.example.org/digests/12';
const nights = Array.from({ length: 60 }, (_, seed) =>
  toDocument({ facts: makeFacts(makePatterns(createRandom(seed))) }),
);

const [sample] = Array.from({ length: 50 }, (_, seed) => makePatterns(createRandom(seed))).flat();

/** A night of far too many groups, each with a hostile name. */
function makeHostile(count: number): DigestDocument {
  const patterns = Array.from({ length: count }, (_, index) => {
    if (sample === undefined) throw new Error('no pattern');
    const { text } = hostileTexts[index % hostileTexts.length] ?? { text: '' };
    return {
      ...sample,
      pattern: `v1:${index}`,
      severity: 'critical' as const,
      heartbeat: false,
      alertname: `${text} ${index}`,
      title: text,
      firing: 1,
      firing_since: sample.first_start,
    };
  });
  return toDocument({ facts: makeFacts(patterns) });
}

describe('the card', () => {
  it('is a valid card of at most 25 KB for every night, with toggles that lead somewhere', () => {
    for (const document of [...nights, makeHostile(400)]) {
      const card = toDigestCard({ document, pageUrl });
      const { content } = cardMessageSchema.parse(card).attachments[0];
      expect(Buffer.byteLength(JSON.stringify(card))).toBeLessThanOrEqual(25_000);
      const ids = content.body.flatMap((element) =>
        'id' in element && element.id !== undefined ? [element.id] : [],
      );
      const targets = content.body.flatMap((element) =>
        element.type === 'ActionSet'
          ? element.actions.flatMap((action) =>
              action.type === 'Action.ToggleVisibility' ? action.targetElements : [],
            )
          : [],
      );
      expect(targets).toEqual(ids);
      expect(targets).toHaveLength(10);
    }
  });

  it('names what it cuts, and keeps what fires critically before anything else', () => {
    const text = JSON.stringify(toDigestCard({ document: makeHostile(400), pageUrl }));
    const [, cut = '0'] = /Cut here: ([\d,]+) further lines/.exec(text) ?? [];
    expect(Number(cut.replaceAll(',', ''))).toBeGreaterThan(100);
    expect(text.match(/still firing/g)?.length).toBeGreaterThan(20);
  });

  it('shows a quiet night as one', () => {
    const card = toDigestCard({ document: toDocument({ facts: makeFacts([]) }), pageUrl: null });
    expect(JSON.stringify(card)).toContain('🟢 A quiet night: no alerts');
    expect(cardMessageSchema.parse(card).attachments[0].content.actions).toEqual([]);
  });
});

describe('the blocks', () => {
  it('stay within the limits of Slack', () => {
    for (const document of [...nights, makeHostile(400)]) {
      const { blocks, text } = toDigestBlocks({ document, pageUrl });
      expect(blocks.length).toBeLessThanOrEqual(50);
      expect(text.length).toBeLessThanOrEqual(3_000);
      for (const block of blocks) {
        const texts =
          'elements' in block
            ? (block.elements ?? []).map((element) => element.text.text)
            : [block.text?.text ?? ''];
        for (const each of texts)
          expect(each.length).toBeLessThanOrEqual(block.type === 'header' ? 150 : 3_000);
        for (const each of texts) expect(each).not.toMatch(/<(?!$)/);
      }
    }
  });
});

describe('the mail', () => {
  it('has the whole text first and the same as HTML, in which nothing of an alert is alive', () => {
    for (const document of nights) {
      const { text, html } = toDigestMail({ document, pageUrl });
      expect(text.startsWith(toPlainText(document).slice(0, 200))).toBe(true);
      for (const { title } of document.sections) expect(html).toContain(title);
    }
    const { html } = toDigestMail({ document: makeHostile(100), pageUrl });
    const tags = new Set(
      Array.from(html.matchAll(/<\/?([a-z!][a-z0-9]*)/gi), ([, tag = '']) => tag.toLowerCase()),
    );
    expect([...tags].toSorted()).toEqual([
      '!doctype',
      'a',
      'body',
      'h1',
      'h2',
      'html',
      'li',
      'ol',
      'p',
      'strong',
      'ul',
    ]);
    const links = Array.from(html.matchAll(/href="([^"]+)"/g), ([, href]) => href);
    expect(new Set(links)).toEqual(
      new Set([pageUrl, 'https://runbooks.example.org/a'].filter((url) => links.includes(url))),
    );
  });
});

describe('the short form', () => {
  it('fits a phone, and a quiet night is two lines with its title', () => {
    for (const document of nights) expect(toShortText(document).length).toBeLessThan(3_000);
    const row = makeRow(toDocument({ facts: makeFacts([]) }));
    const message = toDigestMessage(row, {
      possiblyRepeated: false,
      consoleUrl: 'https://alertgest.example.org',
    });
    expect(message).toMatchObject({
      title: '🟢 A quiet night: no alerts',
      body: 'Mon 2 Feb 18:00 → Tue 3 Feb 08:00 (UTC)',
      link: pageUrl,
      key: 'digest-12',
      priority: 'low',
    });
  });

  it('offers only links that may be offered', () => {
    const document = nights.find(({ sections }) =>
      sections.some(({ lines }) => lines.some(({ link }) => link)),
    );
    if (document === undefined) throw new Error('no night has a runbook');
    const linksIn = (allowedHosts: readonly string[]): number => {
      const telling = { possiblyRepeated: false, consoleUrl: null, allowedHosts };
      const { digest } = toDigestMessage(makeRow(document), telling);
      return digest?.document.sections.flatMap(({ lines }) => lines).filter(({ link }) => link).length ?? 0;
    };
    expect(linksIn([])).toBeGreaterThan(0);
    expect(linksIn(['*.example.org'])).toBe(linksIn([]));
    expect(linksIn(['elsewhere.example'])).toBe(0);
  });

  it('makes a sound only while something critical fires', () => {
    const loud = toDigestMessage(makeRow(makeHostile(1)), { possiblyRepeated: true, consoleUrl: null });
    expect(loud).toMatchObject({ priority: 'normal', severity: 'critical', link: null });
    expect(loud.body).toContain('Possibly repeated');
  });
});

describe('Markdown', () => {
  it('keeps the headings and nothing of an alert as markup', () => {
    const text = toMarkdown(makeHostile(100));
    expect(text.match(/^### .*$/gm)?.slice(0, 5)).toEqual([
      '### 🚨 Requires Immediate Attention',
      '### 📊 Overnight Summary',
      '### 🔍 Key Patterns Identified',
      '### 🔧 Recommended Actions',
      '### 📋 Alert Breakdown by Severity',
    ]);
    // The only links are runbooks that were checked.
    const links = Array.from(text.matchAll(/(?<!\\)\]\((<?[^)]+)\)/g), ([, target]) => target);
    expect(links.every((target) => target === '<https://runbooks.example.org/a>')).toBe(true);
    expect(text).not.toMatch(/(?<!\\)<(?!https:\/\/runbooks)/);
  });
});

describe('the channels of digests', () => {
  const channels = [
    { name: 'phone', type: 'ntfy', closes: false },
    { name: 'pager', type: 'pagerduty', closes: true },
    { name: 'sms', type: 'sms', closes: false },
    { name: 'chat', type: 'teams', closes: false },
  ];

  it('are every one that opens nothing and costs nothing, unless some are named; the others stand in', () => {
    expect(chooseDigestChannels(channels, null)).toEqual({ channels: ['phone', 'chat'], fallback: [] });
    expect(chooseDigestChannels(channels, ['chat'])).toEqual({ channels: ['chat'], fallback: ['phone'] });
  });
});

function makeRow(document: DigestDocument): DigestRow {
  return {
    id: '12',
    name: 'all',
    kind: 'windows',
    window_start: new Date('2026-02-02T18:00:00Z'),
    window_end: new Date('2026-02-03T08:00:00Z'),
    zone: 'UTC',
    status: 'built',
    reason: null,
    facts: {},
    document,
    formatted_output: '',
    llm_model: null,
    notes_kept: null,
    notes_dropped: null,
    built_at: new Date(),
    planned_at: null,
  };
}
