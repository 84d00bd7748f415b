/** Variables of every function that looks at the cluster; the names are those the users proposed. */
import * as z from 'zod';
import { createClusterReader } from './cluster.ts';
import type { ClusterReader } from './cluster.ts';
import { durationMs, flag } from './env.ts';

export const clusterConfig = z.object({
  K8S_CONTEXT_ENABLED: flag(true),
  /** Comma separated; empty means all. With a list, Roles in those namespaces suffice. */
  K8S_CONTEXT_NAMESPACES: z
    .string()
    .default('')
    .transform((text) => text.split(/[\s,]+/).filter((name) => name !== '')),
  K8S_METRICS_SERVER_ENABLED: flag(true),
  /** For all questions of one explanation or digest together. */
  K8S_CONTEXT_TIMEOUT: durationMs('3s'),
  /** A kubeconfig file; without it the pod's own service account is used. */
  KUBECONFIG: z.string().optional(),
});

/** The reader those variables ask for; null when the cluster is not to be looked at. */
export function toClusterReader(config: z.infer<typeof clusterConfig>): ClusterReader | null {
  if (!config.K8S_CONTEXT_ENABLED) return null;
  return createClusterReader({
    kubeconfig: config.KUBECONFIG ?? null,
    namespaces: config.K8S_CONTEXT_NAMESPACES,
    metrics: config.K8S_METRICS_SERVER_ENABLED,
    timeoutMs: config.K8S_CONTEXT_TIMEOUT,
  });
}
