/** What surrounds an alert when it is explained: its cluster and its last log lines, as facts in short lines. */
import type { ClusterReader } from '../../shared/cluster.ts';
import { readWorkloadContext } from '../../shared/cluster-context.ts';
import type { Subject, WorkloadContext } from '../../shared/cluster-context.ts';
import { toTemplates } from '../../shared/log-templates.ts';
import type { LogTemplate } from '../../shared/log-templates.ts';
import type { Loki } from '../../shared/loki.ts';
import type { ExplanationContext } from '../../shared/postgres/explanations.ts';
import { toSafeName, toSafeText } from '../../shared/prompt-text.ts';
import { toPodOwner } from '../../shared/workload.ts';

/** Rollouts of the day before count; log lines from shortly before until shortly after the start. */
const ROLLOUT_MS = 24 * 3_600_000;
const LOGS_BEFORE_MS = 10 * 60_000;
const LOGS_AFTER_MS = 5 * 60_000;
const TEMPLATES = 8;
const TEXT_CHARS = 200;

export interface SurroundingsDeps {
  readonly cluster: ClusterReader | null;
  readonly loki: Loki | null;
  /** Notes how long the cluster took. */
  readonly measureCluster?: <T>(work: Promise<T>) => Promise<T>;
  /** For cluster and logs together, in milliseconds. */
  readonly timeoutMs: number;
}

/** Whom a pattern's alerts are about. Pure. */
export function toSubject(
  identity: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): Subject {
  const pod = labels['pod'] ?? null;
  const workload = identity['workload'] ?? (pod === null ? null : toPodOwner(pod).workload);
  return {
    namespace: identity['namespace'] ?? labels['namespace'] ?? null,
    workload,
    pod,
    node: identity['node'] ?? labels['node'] ?? null,
  };
}

/** Looks around for at most its time; what does not answer is named under `missing`. */
export async function readSurroundings(
  { cluster, loki, timeoutMs, measureCluster = (work) => work }: SurroundingsDeps,
  subject: Subject,
  { startsAt, now }: { readonly startsAt: Date; readonly now: Date },
  signal: AbortSignal,
): Promise<ExplanationContext> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const span = { from: new Date(now.getTime() - ROLLOUT_MS), to: now };
  const [context, logs] = await Promise.all([
    cluster === null ? null : measureCluster(readWorkloadContext(cluster, subject, span, limit)),
    loki === null ? null : readTemplates(loki, subject, startsAt, limit),
  ]);
  return {
    cluster: context === null ? [] : toClusterLines(context),
    logs: logs?.templates ?? [],
    missing: [
      ...(context?.missing.map((line) => `cluster: ${line}`) ?? []),
      ...(logs?.why === undefined ? [] : [`logs: ${logs.why}`]),
    ],
  };
}

async function readTemplates(
  loki: Loki,
  { namespace, workload }: Subject,
  startsAt: Date,
  signal: AbortSignal,
): Promise<{ templates: LogTemplate[]; why?: string }> {
  if (namespace === null || workload === null) return { templates: [] };
  const from = new Date(startsAt.getTime() - LOGS_BEFORE_MS);
  const to = new Date(startsAt.getTime() + LOGS_AFTER_MS);
  const logs = await loki.read({ namespace, workload, from, to }, signal);
  if (!logs.ok) return { templates: [], why: logs.why };
  return {
    templates: toTemplates(
      logs.lines.map((line) => toSafeText(line, TEXT_CHARS)),
      TEMPLATES,
    ),
  };
}

/** One fact a line, names as names and sentences cut. Pure. */
export function toClusterLines(context: WorkloadContext): string[] {
  return [
    ...(context.owners.length > 0 ? [`owners: ${context.owners.map(toOwnerName).join(' ← ')}`] : []),
    ...context.rollouts.map(({ name, at, imageChange, replicasChange }) =>
      [
        `rollout of ${toSafeName(name)} at ${at.toISOString().slice(0, 16)}Z`,
        imageChange === null ? null : `image ${toSafeText(imageChange, TEXT_CHARS)}`,
        replicasChange === null ? null : `replicas ${replicasChange}`,
      ]
        .filter((part) => part !== null)
        .join(', '),
    ),
    ...context.pods.map(
      ({ name, status, restarts, lastReason }) =>
        `pod ${toSafeName(name)}: ${toSafeName(status)}, ${restarts} restarts${lastReason === null ? '' : `, last ended ${toSafeName(lastReason)}`}`,
    ),
    ...context.nodes.map(
      ({ name, conditions }) => `node ${toSafeName(name)}: ${conditions.map(toSafeName).join(', ')}`,
    ),
    ...context.nearLimits.map(
      ({ kind, name, what, percent }) => `${kind} ${toSafeName(name)}: ${what} at ${percent} % of its limit`,
    ),
    ...context.events.map(
      ({ reason, count, kind, name, message }) =>
        `event ${toSafeName(reason)} ×${count} on ${toSafeName(kind)} ${toSafeName(name)}: ${toSafeText(message, TEXT_CHARS)}`,
    ),
  ];
}

function toOwnerName(owner: string): string {
  return owner.split(' ').map(toSafeName).join(' ');
}
