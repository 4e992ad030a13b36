// Data frames out of Prometheus' answers, as Grafana's Prometheus data source makes them.
import { type DataFrame, type Field, FieldType, renderLegendFormat } from '@grafana/data';

import type { Answers, Panel, Series, Target } from './picture';

export function framesOf(panel: Panel, found: Answers): DataFrame[] {
  const targets = panel.targets ?? [];
  return targets.flatMap((target) => {
    const series = found.answers[target.refId] ?? [];
    if (target.format === 'table') {
      return [table(target, series, targets.length > 1)];
    }
    if (target.format === 'heatmap') {
      return [heatmap(target, series, found)];
    }
    return series.map((one) => timeSeries(target, one, found));
  });
}

// The times of a range query's grid: null where a series had no value, so that gaps show.
function grid({ start, end, step }: Answers): number[] {
  return Array.from({ length: Math.round((end - start) / step) + 1 }, (_, index) => (start + index * step) * 1000);
}

function onGrid(series: Series, times: number[]): Array<number | null> {
  const values = new Map(series.values?.map(([time, value]) => [Math.round(time * 1000), Number(value)]));
  return times.map((time) => values.get(Math.round(time)) ?? null);
}

function timeSeries(target: Target, series: Series, found: Answers): DataFrame {
  const times = series.value ? [series.value[0] * 1000] : grid(found);
  const values = series.value ? [Number(series.value[1])] : onGrid(series, times);
  const { __name__, ...labels } = series.metric;
  const value: Field = {
    name: 'Value',
    type: FieldType.number,
    config: { displayNameFromDS: legend(target, series) },
    labels,
    values,
  };
  return { refId: target.refId, fields: [timeField('Time', times), value], length: times.length };
}

function legend(target: Target, { metric: { __name__: name, ...labels } }: Series): string {
  if (target.legendFormat && target.legendFormat !== '__auto') {
    return renderLegendFormat(target.legendFormat, labels);
  }
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return pairs.length || !name ? `${name ?? ''}{${pairs.join(', ')}}` : name;
}

function table(target: Target, series: Series[], several: boolean): DataFrame {
  const labels = [...new Set(series.flatMap((one) => Object.keys(one.metric)))].sort();
  const fields: Field[] = [
    timeField('Time', series.map((one) => (one.value?.[0] ?? 0) * 1000)),
    ...labels.map((label) => ({
      name: label,
      type: FieldType.string,
      config: { filterable: true },
      values: series.map((one) => one.metric[label] ?? ''),
    })),
    {
      name: several ? `Value #${target.refId}` : 'Value',
      type: FieldType.number,
      config: {},
      values: series.map((one) => Number(one.value?.[1])),
    },
  ];
  return { refId: target.refId, fields, length: series.length };
}

// One field for each bucket, lowest first, of what fell into that bucket alone.
function heatmap(target: Target, series: Series[], found: Answers): DataFrame {
  const times = grid(found);
  const sorted = [...series].sort((a, b) => bound(a) - bound(b));
  const cumulative = sorted.map((one) => onGrid(one, times));
  const fields = sorted.map((one, index): Field => ({
    name: one.metric.le ?? '',
    type: FieldType.number,
    config: { displayNameFromDS: one.metric.le },
    labels: one.metric,
    values: times.map((_, at) => {
      const value = cumulative[index]?.[at];
      return value == null ? null : value - (cumulative[index - 1]?.[at] ?? 0);
    }),
  }));
  return { refId: target.refId, fields: [timeField('Time', times), ...fields], length: times.length };
}

function bound(series: Series): number {
  return series.metric.le === '+Inf' ? Infinity : Number(series.metric.le);
}

function timeField(name: string, values: number[]): Field {
  return { name, type: FieldType.time, config: {}, values };
}
