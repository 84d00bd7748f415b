/** All groups of alert rules, for given thresholds. */
import type { Variables } from '../variables.ts';
import { alertgest } from './alertgest.ts';
import { businessMetrics } from './business-metrics.ts';
import { infrastructure } from './infrastructure.ts';
import type { RuleBook } from './rule.ts';
import { serviceHealth } from './service-health.ts';
import { database, messageQueue } from './stores.ts';

/** The five groups of the proposals and alertgest's own. */
export function ruleGroups(variables: Variables): RuleBook[] {
  const groups = [
    serviceHealth(variables),
    infrastructure(variables),
    database(variables),
    messageQueue(variables),
    businessMetrics(variables),
    alertgest(),
  ];
  if (Number(variables.alert_error_rate_threshold) >= Number(variables.alert_error_rate_critical_threshold)) {
    throw new Error('ALERT_ERROR_RATE_THRESHOLD must stay below ALERT_ERROR_RATE_CRITICAL_THRESHOLD');
  }
  return groups.map((group) => ({ ...group, runbooks: variables.runbook_base_url }));
}
