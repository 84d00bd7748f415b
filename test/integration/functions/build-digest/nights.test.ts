import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Built } from '../../../../functions/build-digest/builder.ts';
import { toDigestCard } from '../../../../functions/notify/digest-card.ts';
import { toPlainText, toShortText } from '../../../../shared/digest/markdown.ts';
import type { NightFacts } from '../../../../shared/digest/facts.ts';
import { createPool } from '../../../../shared/postgres/pool.ts';
import type { Pool } from '../../../../shared/postgres/pool.ts';
import { toPodOwner } from '../../../../shared/workload.ts';
import { readCorpusJson, readCorpusLines, whyNoCorpora } from '../../../support/corpora.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { composeDigest, storeNight, toClusterContext } from '../../../support/digests.ts';
import type { NightLine } from '../../../support/oracle.ts';

interface Truth {
  readonly window_start: string;
  readonly window_end: string;
  readonly episodes: number;
  readonly series: number;
  readonly resolved: number;
  readonly firing_at_end: number;
  readonly alert_types: number;
  readonly by_severity: Readonly<Record<string, number>>;
  readonly by_type: Readonly<Record<string, number>>;
  readonly by_type_and_severity: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly firing_by_severity: Readonly<Record<string, number>>;
  readonly resolved_pct_by_severity: Readonly<Record<string, number>>;
  readonly deployment_correlation?: {
    readonly high_memory_total: number;
    readonly within_2h: number;
    readonly pct: number;
  };
  readonly patterns_detail: ReadonlyArray<{
    readonly alertname: string;
    readonly severity: string;
    readonly namespace: string | null;
    readonly episodes: number;
    readonly series: number;
    readonly firing_at_end: number;
    readonly max_episodes_of_one_series: number;
    readonly total_firing_minutes: number;
    readonly first_seen: string;
    readonly last_started: string;
  }>;
  readonly must_mention: ReadonlyArray<{
    readonly id: string;
    readonly any_of: readonly string[];
    readonly all_of?: readonly string[];
  }>;
}

const skipped = whyNoCorpora('digests of the nights');
const HEADINGS = [
  'Requires Immediate Attention',
  'Overnight Summary',
  'Key Patterns Identified',
  'Recommended Actions',
  'Alert Breakdown by Severity',
];

describe.skipIf(skipped !== null).each(['quiet', 'busy', 'storm'] as const)(
  'the digest of a %s night',
  (name) => {
    let pool: Pool;
    let truth: Truth;
    let built: Built;
    let facts: NightFacts;
    let text: string;
    let took: number;

    beforeAll(async () => {
      pool = createPool({
        url: await createTestDatabase(),
        name: 'test',
        size: 4,
        statementTimeoutMs: 30_000,
      });
      truth = readCorpusJson<Truth>('nights', `${name}.truth.json`);
      const lines = readCorpusLines<NightLine>(
        'nights',
        name === 'storm' ? 'storm.jsonl.gz' : `${name}.jsonl`,
      );
      await storeNight(pool, lines);
      const startedAt = performance.now();
      built = await composeDigest(
        pool,
        [{ start: new Date(truth.window_start), end: new Date(truth.window_end) }],
        {
          readCluster: () =>
            Promise.resolve(
              toClusterContext(
                readCorpusJson('nights', `${name}.k8s_context.json`),
                (pod) => toPodOwner(pod).workload,
              ),
            ),
        },
      );
      took = performance.now() - startedAt;
      const { night, ...counts } = built.facts as {
        night: Omit<NightFacts, 'counts'>;
      } & NightFacts['counts'];
      facts = { ...night, counts };
      text = toPlainText(built.document);
    }, 600_000);
    afterAll(() => pool.end());

    it('has every count of the truth', () => {
      const { counts, groups } = facts;
      expect(counts).toMatchObject({
        episodes: truth.episodes,
        firing: truth.firing_at_end,
        resolved: truth.resolved,
      });
      expect(Object.keys(counts.byType)).toHaveLength(truth.alert_types);
      expect(pick(counts.bySeverity, 'episodes')).toEqual(truth.by_severity);
      expect(pick(counts.bySeverity, 'firing')).toEqual(truth.firing_by_severity);
      expect(pick(counts.byType, 'episodes')).toEqual(truth.by_type);
      for (const [severity, share] of Object.entries(truth.resolved_pct_by_severity)) {
        const { resolved = 0, episodes = 1 } = counts.bySeverity[severity] ?? {};
        expect((resolved / episodes) * 100).toBeCloseTo(share, 1);
      }
      for (const { type, severity, episodes } of counts.byTypeAndSeverity)
        expect(truth.by_type_and_severity[type]?.[severity]).toBe(episodes);

      // Groups are the patterns of the truth by name, severity and namespace; heartbeats are in no group.
      const wanted = Map.groupBy(
        truth.patterns_detail.filter(({ alertname }) => alertname !== 'Watchdog'),
        ({ alertname, severity, namespace }) => JSON.stringify([alertname, severity, namespace]),
      );
      expect(groups).toHaveLength(wanted.size);
      const sum = (
        of: Truth['patterns_detail'],
        field: 'episodes' | 'series' | 'firing_at_end' | 'total_firing_minutes',
      ) => of.reduce((all, pattern) => all + pattern[field], 0);
      for (const group of groups) {
        const of = wanted.get(JSON.stringify([group.alertname, group.severity, group.namespace])) ?? [];
        expect(group, group.alertname).toMatchObject({
          episodes: sum(of, 'episodes'),
          series: sum(of, 'series'),
          firing: sum(of, 'firing_at_end'),
          firstSeen: new Date(of.map(({ first_seen }) => first_seen).toSorted()[0] ?? ''),
          lastStart: new Date(
            of
              .map(({ last_started }) => last_started)
              .toSorted()
              .at(-1) ?? '',
          ),
        });
        expect(group.minutes).toBeCloseTo(sum(of, 'total_firing_minutes'), 0);
        const most = Math.max(...of.map(({ max_episodes_of_one_series }) => max_episodes_of_one_series));
        expect(group.flapper?.flaps ?? 0).toBeGreaterThanOrEqual(most >= 3 ? most : 0);
        expect(group.flapping || most < 3).toBe(true);
      }
      const total = groups.reduce((all, { episodes }) => all + episodes, 0);
      expect(total + facts.heartbeats.episodes).toBe(truth.episodes);
    });

    it('mentions everything it must', () => {
      const links = built.document.sections.flatMap(({ lines }) => lines.map(({ link }) => link?.url ?? ''));
      const all = [text, ...links].join('\n');
      for (const { id, any_of, all_of = [] } of truth.must_mention) {
        expect(
          any_of.some((pattern) => toRegExp(pattern).test(all)),
          `${id}: ${any_of.join(' or ')}`,
        ).toBe(true);
        for (const pattern of all_of) expect(all, `${id}: ${pattern}`).toMatch(toRegExp(pattern));
      }
    });

    it('says nothing it must not', () => {
      const attention = built.document.sections.find(({ id }) => id === 'attention')?.lines ?? [];
      expect(text).not.toMatch(/\b94(\.0)? ?%/);
      expect(text).not.toMatch(/everything is resolved|all clear/i);
      expect(text).not.toContain('Watchdog');
      for (const { text: line } of attention) {
        expect(line).not.toMatch(/InfoInhibitor|^CPUThrottlingHigh/);
        // It crashed all night and was over: only the other workload of that name still fires.
        expect(line).not.toMatch(/^PodCrashLooping.* still firing.*worker-processor/);
      }
      expect(attention[0]?.severity).toBe('critical');
      // What is not all is never printed as all.
      const overall = /(\S+ ?\S*) over \(([^)]+)\)/.exec(built.document.numbers);
      expect(overall?.[2]).not.toBe('100 %');
      // Re-sent groups inflate nothing: no number of the text is above the night's total, but for years and ids.
      for (const [number] of text.matchAll(/\b\d{1,3}(?:,\d{3})+\b/g))
        expect(Number(number.replaceAll(',', ''))).toBeLessThanOrEqual(truth.episodes);
    });

    it('has the five headings in their order, then the others, and says none where there is nothing', () => {
      const titles = built.document.sections.map(({ title }) => title);
      expect(titles.slice(0, 5)).toEqual(HEADINGS);
      expect(titles).toHaveLength(12);
      for (const { title, lines } of built.document.sections)
        expect(new RegExp(`${title}\nNone`).test(text)).toBe(lines.length === 0);
      const actions = built.document.sections.find(({ id }) => id === 'actions')?.lines ?? [];
      expect(actions.map(({ when }) => when)).toEqual(
        actions.map(({ when }) => when).toSorted((a, b) => ORDER.indexOf(a ?? '') - ORDER.indexOf(b ?? '')),
      );
    });

    it('fits a card, a phone and ten seconds', () => {
      const card = JSON.stringify(
        toDigestCard({ document: built.document, pageUrl: 'https://alertgest.example.org/digests/1' }),
      );
      expect(Buffer.byteLength(card)).toBeLessThanOrEqual(25_000);
      expect(toShortText(built.document).length).toBeLessThan(2_000);
      expect(took).toBeLessThan(10_000);
      process.stderr.write(
        `${name}: digest in ${took.toFixed(0)} ms, ${text.length} characters, card ${Buffer.byteLength(card)} bytes\n`,
      );
    });

    it.runIf(name === 'busy')('sets the rollout beside what began after it, as computed', () => {
      const {
        high_memory_total: total,
        within_2h: within,
        pct,
      } = truth.deployment_correlation ?? {
        high_memory_total: 0,
        within_2h: 0,
        pct: 0,
      };
      expect(text).toContain(
        `${within} of ${total} alerts (${pct.toFixed(1)} %) began within 2 h after the rollout of api-server`,
      );
    });
  },
);

const ORDER = ['Immediate', 'Today', 'This week'];

function pick(
  sums: Readonly<Record<string, { readonly episodes: number; readonly firing: number }>>,
  field: 'episodes' | 'firing',
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(sums)
      .map(([name, of]) => [name, of[field]] as const)
      .filter(([, count]) => count > 0),
  );
}

function toRegExp(pattern: string): RegExp {
  return pattern.startsWith('(?i)') ? new RegExp(pattern.slice(4), 'i') : new RegExp(pattern);
}
