// Counts of a histogram's buckets over time. Grafana's heatmap is not in @grafana/ui: this one is drawn on its axes.
import { type Field, FieldType, formattedValueToString, getValueFormat } from '@grafana/data';
import { AxisPlacement, GraphDrawStyle, ScaleDirection, ScaleOrientation } from '@grafana/schema';
import { UPlotChart, UPlotConfigBuilder, VizLayout } from '@grafana/ui';
import { interpolateOranges } from 'd3-scale-chromatic';
import { useMemo } from 'react';
import uPlot from 'uplot';

import type { Shown } from '.';

export function HeatmapPanel(shown: Shown) {
  const { frames, width, height } = shown;
  const [time, ...all] = frames[0]?.fields ?? [];
  const buckets = used(all);
  const config = useMemo(() => configured(shown, buckets), []);
  const data = [time?.values ?? [], ...buckets.map(({ values }) => values)] as uPlot.AlignedData;
  return (
    <VizLayout {...{ width, height }}>
      {(width: number, height: number) => <UPlotChart {...{ data, config, width, height }} />}
    </VizLayout>
  );
}

// The buckets from the first to the last that anything fell into.
function used(fields: Field[]): Field[] {
  const numbers = fields.filter(({ type }) => type === FieldType.number);
  const filled = numbers.map(({ values }) => values.some((value) => value > 0));
  return numbers.slice(Math.max(filled.indexOf(true) - 1, 0), filled.lastIndexOf(true) + 1);
}

function configured({ panel, range, theme, picture }: Shown, buckets: Field[]): UPlotConfigBuilder {
  const builder = new UPlotConfigBuilder('utc');
  const highest = Math.max(...buckets.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const format = getValueFormat(panel.options?.yAxis?.unit ?? panel.fieldConfig?.defaults.unit ?? 'short');
  const label = (bucket?: Field) => {
    const bound = bucket?.labels?.le ?? '';
    return bound === '+Inf' ? '+Inf' : formattedValueToString(format(Number(bound)));
  };
  builder.addScale({
    scaleKey: 'x',
    isTime: true,
    orientation: ScaleOrientation.Horizontal,
    direction: ScaleDirection.Right,
    range: () => [range.from.valueOf(), range.to.valueOf()],
  });
  builder.addScale({
    scaleKey: 'y',
    orientation: ScaleOrientation.Vertical,
    direction: ScaleDirection.Up,
    range: () => [0, buckets.length],
  });
  builder.addAxis({ scaleKey: 'x', isTime: true, placement: AxisPlacement.Bottom, timeZone: 'utc', theme, grid: { show: false } });
  const every = Math.ceil(buckets.length / 10);
  builder.addAxis({
    scaleKey: 'y',
    placement: AxisPlacement.Left,
    theme,
    grid: { show: false },
    size: 70,
    splits: () => buckets.map((_, index) => index + 1).filter((at) => at % every === 0),
    values: (_plot, splits) => splits.map((at) => label(buckets[at - 1])),
  });
  for (const _bucket of buckets) {
    builder.addSeries({ scaleKey: 'y', theme, drawStyle: GraphDrawStyle.Points, pathBuilder: () => null, pointsBuilder: () => undefined });
  }
  builder.addHook('draw', (plot) => {
    const { ctx } = plot;
    ctx.save();
    const width = plot.valToPos(picture.panels[panel.id]!.step * 1000, 'x', true) - plot.valToPos(0, 'x', true);
    buckets.forEach((_, row) => {
      const [top, bottom] = [plot.valToPos(row + 1, 'y', true), plot.valToPos(row, 'y', true)];
      plot.data[row + 1]?.forEach((value, at) => {
        if (value) {
          ctx.fillStyle = interpolateOranges(Math.max((value / highest) ** 0.5, 0.08));
          ctx.fillRect(plot.valToPos(plot.data[0][at] ?? 0, 'x', true), top, Math.max(width - 1, 1), bottom - top - 1);
        }
      });
    });
    ctx.restore();
  });
  return builder;
}
