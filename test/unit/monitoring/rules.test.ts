import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ruleGroups } from '../../../monitoring/rules/catalogue.ts';
import { INHIBITIONS } from '../../../monitoring/rules/ladders.ts';
import { toAnnotations } from '../../../monitoring/rules/rendering.ts';
import { ENVIRONMENTS, VARIABLES, readVariables } from '../../../monitoring/variables.ts';
import { toPattern } from '../../../shared/pattern.ts';

const byName = (a = '', b = ''): number => a.localeCompare(b);
const ROOT = resolve(import.meta.dirname, '../../..');
const groups = ruleGroups(readVariables('homelab'));
const rules = groups.flatMap((group) => group.rules);
const named = new Set(rules.flatMap(({ alert, alsoKnownAs }) => [alert, ...(alsoKnownAs ?? [])]));

/** Every alert the proposals name, and the six conditions they describe without a name. */
const PROPOSED =
  'PodCrashLooping PodNotReady PodFrequentRestarts HighCPUUsage HighMemoryUsage CriticalCPUUsage CriticalMemoryUsage NodeCPU NodeMemory NodeCPUPersistentlyHigh NodeMemoryPersistentlyHigh NodeDiskUsageHigh NodeDiskUsageCritical HTTPProbeFailed JobFailed BackupJobFailed NASPoolDegraded IngressLatencyHigh TLSProbeFailed ServiceDown HighErrorRate CriticalErrorRate SlowResponseTime HighLatency ServiceHighMemory ServiceHighCPU DatabaseConnectionFailure HighDatabaseConnections PersistentVolumeSpaceLow PersistentVolumeSpaceCritical PVCNearlyFull CertificateExpiringSoon CertificateExpiryCritical DeploymentReplicasMismatch DeploymentReplicaMismatch DeploymentGenerationMismatch NodeNotReady NodeMemoryPressure NodeDiskPressure PostgresDown PostgresHighConnections PostgresReplicationLag RedisDown RedisHighMemory RabbitMQDown RabbitMQHighQueue RabbitMQConsumerDown LowApplicationSuccessRate AIServiceRateLimited HighUserChurnRate PaymentFailureRate'.split(
    ' ',
  );

interface AlertmanagerFile {
  readonly inhibit_rules: readonly {
    readonly source_matchers: readonly string[];
    readonly target_matchers: readonly string[];
    readonly equal: readonly string[];
  }[];
}

describe('alert rules', () => {
  it('cover all 51 conditions of the proposals', () => {
    expect(PROPOSED).toHaveLength(51);
    expect(PROPOSED.filter((name) => !named.has(name))).toEqual([]);
  });

  it('have one name each', () => {
    expect(named.size).toBe(rules.length + rules.flatMap(({ alsoKnownAs }) => alsoKnownAs ?? []).length);
  });

  it.each(rules.map((rule) => [rule.alert, rule] as const))(
    '%s says what, why and what to try',
    (alert, rule) => {
      expect(rule.summary.length).toBeGreaterThan(10);
      expect(rule.summary.length).toBeLessThanOrEqual(90);
      expect(rule.description.length).toBeGreaterThan(30);
      expect(rule.remediation.length).toBeGreaterThan(20);
      expect(rule.proof.quiet === null).toBe(alert === 'Watchdog');
    },
  );

  it.each(ENVIRONMENTS)('take the thresholds of %s', (environment) => {
    const text = JSON.stringify(ruleGroups(readVariables(environment)));
    const ready = VARIABLES.alert_pod_not_ready_for[environment];
    expect(JSON.parse(text).flatMap((group: { rules: object[] }) => group.rules)).toContainEqual(
      expect.objectContaining({ alert: 'PodNotReady', for: ready }),
    );
  });

  it('use every variable', () => {
    for (const name of Object.keys(VARIABLES)) {
      const marked = name.endsWith('_for') ? '77h' : '77';
      const text = JSON.stringify(ruleGroups(readMarked(name, marked)));
      expect(text.includes(marked), name).toBe(true);
    }
  });

  it('refuse a threshold that is not one', () => {
    expect(() => readVariables('homelab', { ALERT_CPU_THRESHOLD: '80%' })).toThrow('ALERT_CPU_THRESHOLD');
    expect(() => readVariables('homelab', { ALERT_MOUNTPOINTS: '/"} or vector(1)' })).toThrow(
      'ALERT_MOUNTPOINTS',
    );
    expect(() => ruleGroups(readVariables('homelab', { ALERT_ERROR_RATE_THRESHOLD: '5' }))).toThrow('below');
    expect(readVariables('homelab', { ALERT_CPU_THRESHOLD: '85.5' }).alert_cpu_threshold).toBe('85.5');
  });
});

describe('alertgest', () => {
  it.each(
    rules.map(
      ({ alert, severity, proof }) => [alert, { alertname: alert, severity, ...proof.labels }] as const,
    ),
  )('tells the subjects of %s apart', (_alert, labels) => {
    const hash = (changed: Readonly<Record<string, string>>): string =>
      toPattern({ labels: { ...labels, ...changed }, annotations: {} }, { cluster: 'home' }).pattern;
    const subjects = Object.keys(labels).filter((label) => label !== 'alertname' && label !== 'severity');
    for (const label of subjects) {
      const value = label === 'pod' ? 'worker-6b7c8d9f5-abcde' : 'another';
      expect(hash({ [label]: value }), label).not.toBe(hash({}));
    }
  });
});

describe('inhibitions', () => {
  it('name alerts that exist, and never mute in a circle', () => {
    for (const { source, targets } of INHIBITIONS) {
      expect([source, ...targets].filter((name) => !named.has(name))).toEqual([]);
    }
    const mutes = (from: string, to: string): boolean =>
      INHIBITIONS.some(({ source, targets }) => source === from && targets.includes(to));
    const circles = INHIBITIONS.filter(({ source, targets }) =>
      targets.some((target) => mutes(target, source)),
    );
    expect(circles).toEqual([]);
  });

  it('compare labels that both alerts have', () => {
    for (const { source, targets, equal } of INHIBITIONS) {
      if (equal.includes('cluster')) continue;
      for (const name of [source, ...targets]) {
        const labels = Object.keys(rules.find(({ alert }) => alert === name)?.proof.labels ?? {});
        expect(
          equal.some((label) => labels.includes(label)),
          `${name} by ${equal.join()}`,
        ).toBe(true);
      }
    }
  });

  it.each(['alertmanager.yml', 'homelab.yml'])('are what %s says', (file) => {
    const { inhibit_rules } = parse(
      readFileSync(resolve(ROOT, 'monitoring/alertmanager', file), 'utf8'),
    ) as AlertmanagerFile;
    const names = (matchers: readonly string[]): string[] =>
      matchers.flatMap((matcher) => /"(.*)"/.exec(matcher)?.[1]?.split('|') ?? []);
    expect(
      inhibit_rules.map(({ source_matchers, target_matchers, equal }) => ({
        source: names(source_matchers)[0],
        targets: names(target_matchers),
        equal,
      })),
    ).toEqual(INHIBITIONS);
  });
});

describe('runbooks', () => {
  const FOLDER = resolve(ROOT, 'docs/runbooks');
  const commands = (page: string): string =>
    Array.from(page.matchAll(/```(?:sh|promql)\n([\s\S]*?)```/g), ([, block = '']) => block).join('\n');

  it.each(rules.map(({ alert }) => alert))('%s has one, with commands of its own', (alert) => {
    const file = resolve(FOLDER, `${alert}.md`);
    expect(existsSync(file), file).toBe(true);
    const page = readFileSync(file, 'utf8');
    expect(page.startsWith(`# ${alert}\n`)).toBe(true);
    expect(Array.from(page.matchAll(/^## (.*)$/gm), ([, title]) => title)).toEqual([
      'Meaning',
      'Impact',
      'Diagnosis',
      'Mitigation',
    ]);
    expect(commands(page).length).toBeGreaterThan(40);
  });

  it('have no two alike and none without an alert', () => {
    const pages = readdirSync(FOLDER).filter((name) => name !== 'README.md' && /^[A-Z]/.test(name));
    expect(pages.map((name) => name.replace('.md', '')).toSorted(byName)).toEqual(
      rules.map(({ alert }) => alert).toSorted(byName),
    );
    const blocks = pages.map((name) => commands(readFileSync(resolve(FOLDER, name), 'utf8')));
    expect(new Set(blocks).size).toBe(pages.length);
  });

  it('name the twins under which people may look for them', () => {
    for (const { alert, alsoKnownAs } of rules) {
      const page = readFileSync(resolve(FOLDER, `${alert}.md`), 'utf8');
      for (const twin of alsoKnownAs ?? []) expect(page).toContain(twin);
    }
  });

  it('are where the alerts point, wherever the repository is', () => {
    const [group] = ruleGroups(
      readVariables('homelab', { RUNBOOK_BASE_URL: 'https://wiki.example.org/runbooks' }),
    );
    const [rule] = group?.rules ?? [];
    if (group === undefined || rule === undefined) throw new Error('there are no rules');
    const { runbook_url } = toAnnotations(rule, group.runbooks);
    expect(runbook_url).toBe(`https://wiki.example.org/runbooks/${rule.alert}.md`);
  });
});

/** The defaults with one variable marked; the ordering of the error rates is kept. */
function readMarked(name: string, marked: string): ReturnType<typeof readVariables> {
  const critical = name === 'alert_error_rate_threshold' ? { ALERT_ERROR_RATE_CRITICAL_THRESHOLD: '99' } : {};
  return readVariables('homelab', { ...critical, [name.toUpperCase()]: marked });
}
