/** Which Deployments changed in a span, read from what the deployment controller leaves behind. Pure. */
import type { DeploymentFact, EventFact, ReplicaSetFact } from './cluster-facts.ts';

/** A Deployment that got a new revision or another number of replicas. */
export interface RolloutFact {
  readonly namespace: string;
  readonly name: string;
  readonly at: Date;
  /** `v1.2.3 → v1.2.4`, or null when the images stayed. */
  readonly imageChange: string | null;
  /** `3 → 5`, or null when they stayed or nobody wrote them down. */
  readonly replicasChange: string | null;
}

/** From and to, both inclusive. */
export interface Span {
  readonly from: Date;
  readonly to: Date;
}

/** A new ReplicaSet is a rollout; a Deployment that only said it scaled changed its replicas. */
export function toRollouts(
  deployments: readonly DeploymentFact[],
  replicaSets: readonly ReplicaSetFact[],
  events: readonly EventFact[],
  span: Span,
): RolloutFact[] {
  const rollouts = deployments.flatMap((deployment) => {
    const { namespace, name, images, replicas } = deployment;
    const revisions = replicaSets
      .filter(({ owner, namespace: place }) => owner?.name === name && place === namespace)
      .toSorted((a, b) => b.revision - a.revision);
    const [current, previous] = revisions;
    const at = current?.createdAt ?? null;
    if (current !== undefined && isWithin(at, span))
      return [
        {
          namespace,
          name,
          at,
          imageChange: previous === undefined ? null : toImageChange(previous.images, images),
          replicasChange: toChange(previous?.desired ?? null, replicas),
        },
      ];
    const scaled = toScaling(
      events.filter((event) => event.name === name && event.namespace === namespace),
      span,
    );
    return scaled === null ? [] : [{ namespace, name, imageChange: null, ...scaled }];
  });
  return rollouts.toSorted((a, b) => b.at.getTime() - a.at.getTime());
}

/** `Scaled up replica set api-7d9f8b6c5 to 5 from 3`, as the deployment controller writes it. */
const SCALED = /\bto (\d+) from (\d+)\b/;

function toScaling(events: readonly EventFact[], span: Span): { at: Date; replicasChange: string } | null {
  const steps = events
    .flatMap(({ reason, message, lastAt }) => {
      const [, to, from] = SCALED.exec(message) ?? [];
      if (reason !== 'ScalingReplicaSet' || from === undefined || !isWithin(lastAt, span)) return [];
      return [{ at: lastAt, from: Number(from), to: Number(to) }];
    })
    .toSorted((a, b) => a.at.getTime() - b.at.getTime());
  const first = steps[0];
  const last = steps.at(-1);
  if (first === undefined || last === undefined) return null;
  const change = toChange(first.from, last.to);
  return change === null ? null : { at: last.at, replicasChange: change };
}

function toChange(from: number | null, to: number): string | null {
  return from === null || from === to ? null : `${from} → ${to}`;
}

/** Only the tags when the image is the same, else both whole. */
function toImageChange(from: readonly string[], to: readonly string[]): string | null {
  const changes = to.flatMap((image, at) => {
    const before = from[at];
    if (before === undefined || before === image) return [];
    const [, oldTag] = splitImage(before);
    const [, newTag] = splitImage(image);
    return [
      splitImage(before)[0] === splitImage(image)[0] ? `${oldTag} → ${newTag}` : `${before} → ${image}`,
    ];
  });
  return changes.length === 0 ? null : changes.join(', ');
}

function splitImage(image: string): [string, string] {
  const at = image.indexOf('@') >= 0 ? image.indexOf('@') : image.lastIndexOf(':');
  return at > image.lastIndexOf('/') ? [image.slice(0, at), image.slice(at + 1)] : [image, 'latest'];
}

/** Whether a moment is known and lies in a span. */
export function isWithin(at: Date | null, { from, to }: Span): at is Date {
  return at !== null && at >= from && at <= to;
}
