/** All dashboards. A new one is a value in one of these files and a row here. */
import { capacity, hardwareHealth, kubernetesCluster, namespaces, systemOverview } from './cluster.ts';
import type { Dashboard } from './panel.ts';
import {
  apiPerformance,
  backupAssurance,
  business,
  databaseAndQueue,
  goldenSignals,
  mediaServices,
} from './services.ts';
import { alertgestLevels, alertgestWork, logsOverview, monitoringStack } from './stack.ts';

export const DASHBOARDS: readonly Dashboard[] = [
  systemOverview,
  capacity,
  kubernetesCluster,
  namespaces,
  mediaServices,
  goldenSignals,
  apiPerformance,
  databaseAndQueue,
  business,
  backupAssurance,
  hardwareHealth,
  logsOverview,
  monitoringStack,
  alertgestWork,
  alertgestLevels,
];

/** What stands for Grafana's own variables when a query is checked outside of Grafana. */
export function withoutVariables(expr: string): string {
  return expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$(namespace|service|app|node)\b/g, '.*');
}
