// Which state each series was in. Grafana's state timeline is not in @grafana/ui: this one is drawn on its axes.
import { FieldType, getFieldDisplayName } from '@grafana/data';
import { AxisPlacement, GraphDrawStyle, ScaleDirection, ScaleOrientation } from '@grafana/schema';
import { measureText, UPLOT_AXIS_FONT_SIZE, UPlotChart, UPlotConfigBuilder, VizLayout, VizLegend } from '@grafana/ui';
import { useMemo } from 'react';
import uPlot from 'uplot';

import type { Shown } from '.';

export function StateTimelinePanel(shown: Shown) {
  const { frames, width, height, panel, theme } = shown;
  const lines = frames.flatMap((frame) =>
    frame.fields
      .filter(({ type }) => type === FieldType.number)
      .map((field) => ({ field, name: getFieldDisplayName(field, frame, frames) }))
  );
  const config = useMemo(() => configured(shown, lines), []);
  const data = [frames[0]?.fields[0]?.values ?? [], ...lines.map(({ field }) => field.values)] as uPlot.AlignedData;
  const legend = panel.options?.legend;
  const states = (panel.fieldConfig?.defaults.mappings ?? []).flatMap((mapping) => Object.values(mapping.options as object));
  const items = states.map(({ text, color }) => ({ label: text, color: theme.visualization.getColorByName(color), yAxis: 1 }));
  return (
    <VizLayout
      {...{ width, height }}
      legend={
        legend?.showLegend ? (
          <VizLayout.Legend placement={legend.placement}>
            <VizLegend placement={legend.placement} displayMode={legend.displayMode} items={items} readonly />
          </VizLayout.Legend>
        ) : null
      }
    >
      {(width: number, height: number) => <UPlotChart {...{ data, config, width, height }} />}
    </VizLayout>
  );
}

function configured({ panel, range, theme, picture }: Shown, lines: Array<{ field: any; name: string }>): UPlotConfigBuilder {
  const builder = new UPlotConfigBuilder('utc');
  const rows = lines.length;
  builder.addScale({
    scaleKey: 'x',
    isTime: true,
    orientation: ScaleOrientation.Horizontal,
    direction: ScaleDirection.Right,
    range: () => [range.from.valueOf(), range.to.valueOf()],
  });
  builder.addScale({ scaleKey: 'y', orientation: ScaleOrientation.Vertical, direction: ScaleDirection.Down, range: () => [0, rows] });
  builder.addAxis({ scaleKey: 'x', isTime: true, placement: AxisPlacement.Bottom, timeZone: 'utc', theme, grid: { show: false } });
  builder.addAxis({
    scaleKey: 'y',
    placement: AxisPlacement.Left,
    theme,
    grid: { show: false },
    splits: () => lines.map((_, index) => index + 0.5),
    values: () => lines.map(({ name }) => name),
    size: Math.max(...lines.map(({ name }) => measureText(name, UPLOT_AXIS_FONT_SIZE).width)) + 20,
  });
  for (const _line of lines) {
    builder.addSeries({ scaleKey: 'y', theme, drawStyle: GraphDrawStyle.Points, pathBuilder: () => null, pointsBuilder: () => undefined });
  }
  const { step } = picture.panels[panel.id]!;
  const thick = panel.options?.rowHeight ?? 0.9;
  const opacity = (panel.fieldConfig?.defaults.custom?.fillOpacity ?? 70) / 100;
  builder.addHook('draw', (plot) => {
    const { ctx } = plot;
    ctx.save();
    ctx.globalAlpha = opacity;
    lines.forEach(({ field }, row) => {
      const [one, other] = [row + 0.5 - thick / 2, row + 0.5 + thick / 2].map((at) => plot.valToPos(at, 'y', true)) as [number, number];
      plot.data[row + 1]?.forEach((value, at) => {
        if (value != null) {
          const from = plot.data[0][at] ?? 0;
          const [left, right] = [from, from + step * 1000].map((time) => Math.round(plot.valToPos(time, 'x', true))) as [number, number];
          ctx.fillStyle = field.display(value).color;
          ctx.fillRect(left, Math.min(one, other), right - left, Math.abs(other - one));
        }
      });
    });
    ctx.restore();
  });
  return builder;
}
