import type { DataFrame, GrafanaTheme2, TimeRange } from '@grafana/data';

import type { Panel, Picture } from '../picture';
import { HeatmapPanel } from './heatmap';
import { StateTimelinePanel } from './statetimeline';
import { TablePanel } from './table';
import { TextPanel } from './text';
import { TimeSeriesPanel } from './timeseries';
import { BarGaugePanel, GaugePanel, StatPanel } from './values';

export interface Shown {
  panel: Panel;
  frames: DataFrame[];
  range: TimeRange;
  picture: Picture;
  width: number;
  height: number;
  theme: GrafanaTheme2;
}

const KINDS: Record<string, React.ComponentType<Shown>> = {
  bargauge: BarGaugePanel,
  gauge: GaugePanel,
  heatmap: HeatmapPanel,
  stat: StatPanel,
  'state-timeline': StateTimelinePanel,
  table: TablePanel,
  text: TextPanel,
  timeseries: TimeSeriesPanel,
};

export function Visualization(shown: Shown) {
  const Kind = KINDS[shown.panel.type];
  if (!Kind) {
    throw new Error(`no picture of a ${shown.panel.type} panel can be drawn: ${shown.panel.title}`);
  }
  return <Kind {...shown} />;
}
