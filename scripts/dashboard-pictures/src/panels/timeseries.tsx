// Lines and columns over time, with what the annotations of the dashboard found drawn across.
import { type DataFrame, FieldType } from '@grafana/data';
import { type LegendDisplayMode } from '@grafana/schema';
import { REGION_FILL_ALPHA, TimeSeries, type UPlotConfigBuilder } from '@grafana/ui';
import { useMemo } from 'react';
import uPlot from 'uplot';

import type { Picture } from '../picture';

import type { Shown } from '.';

export function TimeSeriesPanel({ frames, range, picture, panel, width, height, theme }: Shown) {
  const legend = { displayMode: 'list' as LegendDisplayMode, placement: 'bottom', showLegend: true, calcs: [], ...panel.options?.legend };
  const finite = useMemo(() => frames.map(onlyFinite), [frames]);
  const drawn = new WeakSet<UPlotConfigBuilder>();
  return (
    <TimeSeries {...{ width, height, legend }} frames={finite} timeRange={range} timeZone="utc" options={panel.options}>
      {(builder) => {
        if (!drawn.has(builder)) {
          drawn.add(builder);
          builder.addHook('draw', (plot) => drawAnnotations(plot, marks(picture, theme.visualization.getColorByName)));
        }
        return null;
      }}
    </TimeSeries>
  );
}

// A quantile of nothing is NaN: a gap.
export function onlyFinite(frame: DataFrame): DataFrame {
  const fields = frame.fields.map((field) =>
    field.type === FieldType.number ? { ...field, values: field.values.map((value) => (Number.isFinite(value) ? value : null)) } : field
  );
  return { ...frame, fields };
}

interface Mark {
  color: string;
  from: number;
  to: number;
}

// Times at which an annotation's query gave a value; those that follow each other are one region.
function marks(picture: Picture, color: (name: string) => string): Mark[] {
  const asked = picture.dashboard.annotations.list.filter(({ expr }) => expr !== undefined);
  return picture.annotations.answers.flatMap((series, index) =>
    series.flatMap(({ values = [] }) => {
      const found: Mark[] = [];
      for (const [time] of values) {
        const open = found.at(-1);
        if (open && time - open.to <= picture.annotations.step) {
          open.to = time;
        } else {
          found.push({ color: color(asked[index]?.iconColor ?? 'red'), from: time, to: time });
        }
      }
      return found;
    })
  );
}

function drawAnnotations(plot: uPlot, found: Mark[]) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.setLineDash([5 * uPlot.pxRatio, 5 * uPlot.pxRatio]);
  for (const { color, from, to } of found) {
    const [left, right] = [from, to].map((time) => plot.valToPos(time * 1000, 'x', true)) as [number, number];
    ctx.strokeStyle = ctx.fillStyle = color;
    ctx.globalAlpha = REGION_FILL_ALPHA;
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
    ctx.globalAlpha = 1;
    for (const at of right > left ? [left, right] : [left]) {
      ctx.beginPath();
      ctx.moveTo(at, bbox.top);
      ctx.lineTo(at, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.fillRect(left, bbox.top + bbox.height, Math.max(right - left, 4), 4);
  }
  ctx.restore();
}
