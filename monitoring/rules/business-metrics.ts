/** Alerts about what the business counts; the metrics are the application contract of docs/monitoring.md. */
import type { Variables } from '../variables.ts';
import type { RuleGroup } from './rule.ts';

/** The group "Business Metrics". */
export function businessMetrics(v: Variables): RuleGroup {
  const applications = (good: number, bad: number): [string, string][] => [
    ['applications_total{namespace="jobs",service="applications",result="success"}', `0+${good}x60`],
    ['applications_total{namespace="jobs",service="applications",result="failure"}', `0+${bad}x60`],
  ];
  const payments = (good: number, bad: number): [string, string][] => [
    [
      'payments_total{namespace="shop",service="payments",provider="stripe",result="success"}',
      `0+${good}x30`,
    ],
    ['payments_total{namespace="shop",service="payments",provider="stripe",result="failure"}', `0+${bad}x30`],
  ];
  const limited = (perMinute: number): [string, string][] => [
    [
      'ai_requests_total{namespace="jobs",service="ai",provider="openai",result="rate_limited"}',
      `0+${perMinute}x30`,
    ],
  ];
  const churned = (perHour: number): [string, string][] => [
    ['users_churned_total{namespace="shop",service="users"}', `0+${perHour}x40`],
    ['users_active{namespace="shop",service="users"}', '1000x40'],
  ];
  // One minus the failures: with nothing but failures there may be no series of successes.
  const failures = (metric: string, by: string, window: string): string =>
    `sum by (${by}) (rate(${metric}{result!="success"}[${window}])) / sum by (${by}) (rate(${metric}[${window}]))`;
  return {
    name: 'Business Metrics',
    file: 'business-metrics',
    rules: [
      {
        alert: 'LowApplicationSuccessRate',
        severity: 'warning',
        category: 'business',
        expr: `100 * (1 - ${failures('applications_total', 'namespace, service', '15m')}) < ${v.alert_application_success_threshold}`,
        for: '15m',
        summary: 'Few applications succeed',
        description:
          'Only {{ $value | printf "%.0f" }} % of the applications through {{ $labels.service }} succeed.',
        remediation:
          'Which target site fails? Look at its error in the log; pause that target rather than all.',
        proof: {
          at: '40m',
          labels: { namespace: 'jobs', service: 'applications' },
          value: '60',
          fires: applications(6, 4),
          quiet: applications(71, 29),
        },
      },
      {
        alert: 'AIServiceRateLimited',
        severity: 'warning',
        category: 'business',
        expr: `60 * sum by (namespace, service, provider) (rate(ai_requests_total{result="rate_limited"}[5m])) > ${v.alert_ai_rate_limited_per_minute}`,
        for: '5m',
        summary: '{{ $labels.provider }} refuses requests',
        description:
          '{{ $labels.provider }} refuses {{ $value | printf "%.0f" }} requests a minute of {{ $labels.service }} for their rate.',
        remediation: 'Back off and batch; ask for a higher limit; fall back to the local model.',
        proof: {
          at: '12m',
          labels: { namespace: 'jobs', service: 'ai', provider: 'openai' },
          value: '12',
          fires: limited(12),
          quiet: limited(9),
        },
      },
      {
        alert: 'HighUserChurnRate',
        severity: 'warning',
        category: 'business',
        expr: `100 * sum by (namespace, service) (increase(users_churned_total[1d])) / max by (namespace, service) (users_active) > ${v.alert_churn_threshold}`,
        for: '1h',
        summary: 'Many users left within a day',
        description: '{{ $value | printf "%.0f" }} % of the active users left within a day.',
        remediation: 'Compare with releases, prices and outages of the day; tell the product team.',
        proof: {
          at: '30h',
          step: '1h',
          labels: { namespace: 'shop', service: 'users' },
          value: '12',
          fires: churned(5),
          quiet: churned(4),
        },
      },
      {
        alert: 'PaymentFailureRate',
        severity: 'critical',
        category: 'business',
        expr: `100 * ${failures('payments_total', 'namespace, service, provider', '5m')} > ${v.alert_payment_failure_threshold}`,
        for: '5m',
        summary: 'Payments by {{ $labels.provider }} fail',
        description: '{{ $value | printf "%.0f" }} % of the payments by {{ $labels.provider }} fail.',
        remediation:
          'Look at the provider’s status page and at the decline codes; switch the provider if it is theirs.',
        proof: {
          at: '12m',
          labels: { namespace: 'shop', service: 'payments', provider: 'stripe' },
          value: '10',
          fires: payments(9, 1),
          quiet: payments(96, 4),
        },
      },
    ],
  };
}
