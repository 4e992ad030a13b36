// Panels that show one value of each series: stat, gauge, bar gauge.
import { type FieldDisplay, getDisplayValueAlignmentFactors, getFieldDisplayValues, VizOrientation } from '@grafana/data';
import { BarGauge, BigValue, BigValueGraphMode, VizRepeater } from '@grafana/ui';

import type { Shown } from '.';
import { Arc } from './arc';

interface One {
  value: FieldDisplay;
  width: number;
  height: number;
  count: number;
  orientation: VizOrientation;
  alignmentFactors: any;
}

function Repeated({ shown, one, sparkline, ...grid }: { shown: Shown; one: (props: One) => React.JSX.Element } & Record<string, any>) {
  const { panel, frames, width, height, theme } = shown;
  const values = () =>
    getFieldDisplayValues({
      data: frames,
      fieldConfig: panel.fieldConfig ?? { defaults: {}, overrides: [] },
      reduceOptions: panel.options.reduceOptions ?? { calcs: ['lastNotNull'] },
      replaceVariables: (text) => text,
      sparkline,
      theme,
      timeZone: 'utc',
    });
  return (
    <VizRepeater
      {...{ width, height }}
      getValues={values}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={one}
      source={frames}
      renderCounter={0}
      orientation={panel.options.orientation ?? VizOrientation.Auto}
      {...grid}
    />
  );
}

export function StatPanel(shown: Shown) {
  const { options } = shown.panel;
  const sparkline = options.graphMode !== BigValueGraphMode.None;
  return (
    <Repeated
      shown={shown}
      sparkline={sparkline}
      autoGrid
      one={({ value, width, height, count, alignmentFactors }) => (
        <BigValue
          {...{ width, height, count, alignmentFactors }}
          value={value.display}
          sparkline={value.sparkline && { ...value.sparkline, timeRange: shown.range }}
          colorMode={options.colorMode}
          graphMode={options.graphMode}
          justifyMode={options.justifyMode}
          textMode={options.textMode}
          text={options.text}
          disableWideLayout={!options.wideLayout}
          theme={shown.theme}
        />
      )}
    />
  );
}

export function GaugePanel(shown: Shown) {
  return (
    <Repeated
      shown={shown}
      autoGrid
      one={({ value, width, height, count }) => <Arc {...{ value, width, height, count }} theme={shown.theme} />}
    />
  );
}

export function BarGaugePanel(shown: Shown) {
  const { options } = shown.panel;
  return (
    <Repeated
      shown={shown}
      minVizWidth={options.minVizWidth ?? 8}
      minVizHeight={options.minVizHeight ?? 16}
      maxVizHeight={options.maxVizHeight ?? 300}
      itemSpacing={8}
      one={({ value, width, height, orientation, alignmentFactors }) => (
        <BarGauge
          {...{ width, height, orientation, alignmentFactors }}
          value={value.display}
          field={value.field}
          display={value.view?.getFieldDisplayProcessor(value.colIndex ?? 0)}
          text={options.text}
          displayMode={options.displayMode}
          showUnfilled={options.showUnfilled}
          valueDisplayMode={options.valueMode}
          namePlacement={options.namePlacement}
          theme={shown.theme}
        />
      )}
    />
  );
}
