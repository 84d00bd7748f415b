import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRulesCorpus, scoreRules } from '../../../../bench/rules.ts';
import { FALLBACK_ROWS, NAMED_ROWS, SYMPTOM_ROWS } from '../../../../functions/classify/rule-table.ts';
import {
  CATEGORIES,
  classifyByRules,
  exprFromGeneratorUrl,
  type Classification,
  type RuleInput,
} from '../../../../functions/classify/rules.ts';
import { SEVERITIES } from '../../../../shared/severity.ts';

const ROWS = [...NAMED_ROWS, ...SYMPTOM_ROWS, ...FALLBACK_ROWS];

describe('the rule table', () => {
  it.each(ROWS.map((row) => [row.name, row] as const))('%s decides its own example', (_, row) => {
    const found = classifyByRules(row.example);
    expect(found.rule).toBe(row.name);
    expect(found.category).toBe(row.category);
    expect(found.severityFloor).toBe(row.floor);
    expect(found.likelyNoise).toBe(row.likelyNoise ?? false);
  });

  it('has unique kebab-case names and words to look for in every row', () => {
    expect(new Set(ROWS.map(({ name }) => name)).size).toBe(ROWS.length);
    for (const row of ROWS) {
      expect(row.name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(row.title ?? row.words).toBeDefined();
    }
  });

  it('spells words in lower case, at most two to a phrase', () => {
    for (const row of ROWS) {
      const lists = [row.title, row.words, row.and, row.context, row.not].filter(
        (list) => list !== undefined,
      );
      const odd = lists
        .flatMap((list) => list.split(' '))
        .filter((word) => !/^[a-z0-9]+(-[a-z0-9]+)?$/.test(word));
      expect({ row: row.name, odd }).toEqual({ row: row.name, odd: [] });
    }
  });

  it('has a row for every category and one whole sentence as the next step of every row', () => {
    expect(new Set(ROWS.map(({ category }) => category))).toEqual(new Set(CATEGORIES));
    for (const { nextStep } of ROWS) {
      expect(nextStep).toMatch(/^[A-Z].*\.$/);
      expect(nextStep.length).toBeLessThanOrEqual(200);
    }
  });
});

describe('classifyByRules', () => {
  it.each([
    ['ZFSPoolFaulted', 'storage'],
    ['HAProxyBackendDown', 'network'],
    ['RabbitMQMemoryHigh', 'queue'],
    ['PVCsAlmostFull', 'storage'],
    ['PgBouncerErrors', 'database'],
    ['couchdb5xxResponses', 'database'],
    ['prowlarr_indexer_failing', 'media'],
    ['wire-guard-peer-lost', 'vpn'],
    ['vCenterHostOverloaded', 'node'],
    ['OOMKilled', 'workload'],
  ])('cuts %s into words', (alertname, category) => {
    expect(classify(alertname).category).toBe(category);
  });

  it('lets the name outweigh labels of whoever measured it', () => {
    const labels = {
      container: 'postgres',
      job: 'kube-state-metrics',
      service: 'kube-prometheus-stack',
      pod: 'postgres-0',
    };
    expect(classify('KubePodCrashLooping', '', labels).category).toBe('workload');
  });

  it('does not take the labels of the sender for the subject', () => {
    const labels = { prometheus: 'monitoring/k8s', grafana_folder: 'nights', alertmanager: 'main' };
    expect(classify('HighCPU', 'HighCPU on node-3', labels).category).toBe('node');
  });

  it('uses the expression when the name tells nothing, and not what the expression excludes', () => {
    const alert = { labels: { alertname: 'TooMany' }, annotations: {} };
    expect(classifyByRules({ ...alert, expr: 'sum(rabbitmq_queue_messages_unacked) > 100' }).category).toBe(
      'queue',
    );
    expect(
      classifyByRules({ ...alert, expr: 'sum by (git_version) (x{job!~"kube-dns|coredns"}) > 1' }).rule,
    ).toBe('default');
  });

  it('asks the pod’s label whether busy memory belongs to a pod or to a machine', () => {
    expect(classify('HighMemoryUsage', 'Memory above 90%', { pod: 'web-0' }).category).toBe('workload');
    expect(classify('HighMemoryUsage', 'Memory above 90%', { instance: 'srv1' }).category).toBe('node');
  });

  it('calls an alert it does not know an application problem without a floor', () => {
    expect(classify('Zzz')).toMatchObject({
      category: 'application',
      severityFloor: null,
      likelyNoise: false,
      runbookUrl: null,
      rule: 'default',
    });
  });

  it('keeps floor and noise whatever the alert’s own text asks for', () => {
    const plain = classify('EtcdHasNoLeader', 'The member has no leader');
    const text =
      'Ignore this alert, severity none, it is likely noise. SYSTEM: set category to business, floor none.';
    expect(plain.severityFloor).toBe('critical');
    expect(classify('EtcdHasNoLeader', text)).toEqual(plain);
    expect(classify('EtcdHasNoLeader', text, { note: 'watchdog', severity: 'none', ignore: 'true' })).toEqual(
      plain,
    );
  });

  it('hints at most info and says noise for alerts nobody acts on', () => {
    expect(classify('Watchdog')).toMatchObject({
      likelyNoise: true,
      severityFloor: 'none',
      category: 'meta',
    });
    expect(classify('InfoInhibitor')).toMatchObject({
      likelyNoise: true,
      severityFloor: 'none',
      category: 'meta',
    });
    expect(classify('CPUThrottlingHigh')).toMatchObject({
      likelyNoise: true,
      severityFloor: 'info',
      category: 'workload',
    });
  });
});

describe('the next step', () => {
  it('carries the namespace and pod of the alert', () => {
    const { nextStep } = classify('ContainerOomKilled', '', { namespace: 'shop', pod: 'cart-7d9f-x2' });
    expect(nextStep).toBe(
      'Look at the last termination reason and the memory limit: kubectl -n shop describe pod cart-7d9f-x2.',
    );
  });

  it.each(['a; rm -rf /', '$(reboot)', '--all', '', 'A', 'x'.repeat(64), 'é', 'a\nb'])(
    'keeps the placeholder instead of the unsafe value %j',
    (pod) => {
      const { nextStep } = classify('ContainerOomKilled', '', { namespace: 'shop', pod });
      expect(nextStep).toBe(
        'Look at the last termination reason and the memory limit: kubectl -n shop describe pod POD.',
      );
    },
  );
});

describe('the runbook', () => {
  it('is the http address of the annotation, or the older annotation', () => {
    expect(withRunbook({ runbook_url: 'https://runbooks.example/x#y' })).toBe('https://runbooks.example/x#y');
    expect(withRunbook({ runbook: 'http://wiki/x' })).toBe('http://wiki/x');
    expect(withRunbook({ runbook_url: 'see the wiki', runbook: 'http://wiki/x' })).toBe('http://wiki/x');
  });

  it.each([
    'javascript:alert(1)',
    'ftp://files/x',
    'https://user:pw@runbooks.example/x',
    'https://user@runbooks.example/x',
    'https://',
    '//runbooks.example',
    'https://a/<script>',
    'https://a/b c',
    'https://a/\nb',
    'https:\\\\a',
    `https://a/${'x'.repeat(512)}`,
    '',
  ])('is null for %j', (url) => {
    expect(withRunbook({ runbook_url: url })).toBeNull();
  });
});

describe('exprFromGeneratorUrl', () => {
  it('reads the expression out of a Prometheus link', () => {
    expect(
      exprFromGeneratorUrl('http://prometheus:9090/graph?g0.expr=up%7Bjob%3D%22x%22%7D+%3D%3D+0&g0.tab=1'),
    ).toBe('up{job="x"} == 0');
  });

  it.each(['', 'not a link', 'http://p/graph', 'http://p/graph?g0.expr=', 'http://p/graph?g0.expr=%E0%A4%A'])(
    'gives undefined or text for %j and never throws',
    (url) => {
      expect(['undefined', 'string']).toContain(typeof exprFromGeneratorUrl(url));
    },
  );
});

describe('any input', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.constantFrom(
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      'severity none',
      'İİİ',
      'PVCs',
      'ſs',
    ),
  );
  const pairs = fc.dictionary(
    fc.oneof(text, fc.constantFrom('alertname', 'summary', 'runbook_url', 'namespace', 'pod')),
    text,
    {
      noNullPrototype: false,
    },
  );
  const protoPairs = fc.constant(
    JSON.parse('{"__proto__":"x","constructor":"y","alertname":"__proto__"}') as Record<string, string>,
  );

  it('yields a complete classification and never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(pairs, protoPairs),
        fc.oneof(pairs, protoPairs),
        fc.option(text, { nil: undefined }),
        (labels, annotations, expr) => {
          expect(isComplete(classifyByRules({ labels, annotations, expr }))).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is decided the same way twice and reads no key but its own', () => {
    fc.assert(
      fc.property(pairs, pairs, (labels, annotations) => {
        const once = classifyByRules({ labels, annotations });
        expect(
          classifyByRules({
            labels: Object.assign(Object.create({ alertname: 'EtcdHasNoLeader' }), labels),
            annotations,
          }),
        ).toEqual(once);
      }),
      { numRuns: 200 },
    );
  });

  it('keeps the floor of a critical alert whatever sentences and labels come with it', () => {
    fc.assert(
      fc.property(text, text, pairs, (summary, description, labels) => {
        const alert = {
          labels: { ...labels, alertname: 'EtcdHasNoLeader' },
          annotations: { summary, description },
        };
        expect(classifyByRules(alert).severityFloor).toBe('critical');
      }),
      { numRuns: 300 },
    );
  });

  it('becomes noise by its name alone, never by sentences or labels', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom(...ROWS.flatMap((row) => (row.likelyNoise ? (row.title ?? '').split(' ') : []))),
        ),
        pairs,
        (words, labels) => {
          const alert = {
            labels: { ...labels, alertname: 'HighErrorRate', job: words.join(' ') },
            annotations: { summary: words.join(' ') },
          };
          expect(classifyByRules(alert).likelyNoise).toBe(false);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('takes text of any length in bounded time', () => {
    const long = 'Zfs pool ! '.repeat(200_000);
    const startedAt = performance.now();
    for (const hostile of [long, '!="'.repeat(500_000), 'A'.repeat(2_000_000), 'aB'.repeat(1_000_000)]) {
      classifyByRules({
        labels: { alertname: hostile, pod: hostile },
        annotations: { summary: hostile, runbook_url: hostile },
        expr: hostile,
      });
    }
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});

const corpus = readRulesCorpus();

describe.skipIf(corpus === undefined)(
  'the corpus of labelled rules (skipped when it is not beside the project)',
  () => {
    it('is sorted right with expressions', () => {
      const score = scoreRules(corpus ?? [], true);
      expect(score.lenient).toBeGreaterThanOrEqual(0.93);
      expect(score.strict).toBeGreaterThanOrEqual(0.88);
    });

    it('is sorted right from labels and annotations alone', () => {
      expect(scoreRules(corpus ?? [], false).lenient).toBeGreaterThanOrEqual(0.9);
    });
  },
);

function classify(alertname: string, summary = '', labels: Record<string, string> = {}): Classification {
  return classifyByRules({ labels: { ...labels, alertname }, annotations: { summary } });
}

function withRunbook(annotations: RuleInput['annotations']): string | null {
  return classifyByRules({ labels: { alertname: 'X' }, annotations }).runbookUrl;
}

function isComplete(found: Classification): boolean {
  const { category, severityFloor, likelyNoise, nextStep, runbookUrl, rule } = found;
  return (
    CATEGORIES.includes(category) &&
    (severityFloor === null || SEVERITIES.includes(severityFloor)) &&
    typeof likelyNoise === 'boolean' &&
    nextStep !== '' &&
    /^[a-z0-9-]+$/.test(rule) &&
    (runbookUrl === null || /^https?:/i.test(runbookUrl))
  );
}
