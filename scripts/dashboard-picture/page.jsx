/**
 * A dashboard as Grafana draws it, by Grafana's own parts (@grafana/ui, @grafana/data): panels on the grid, fields with
 * their units, colours and mappings. What the queries gave stands in `window.drawn`. A bundler makes one script of it,
 * for dashboard-picture.ts.
 */
import {
  applyFieldOverrides,
  createTheme,
  dateTime,
  FieldColorModeId,
  FieldType,
  getDisplayProcessor,
  toDataFrame,
} from '@grafana/data';
import { BarGauge, BigValue, GlobalStyles, PanelChrome, ThemeContext, TimeSeries } from '@grafana/ui';
import { createElement as h } from 'react';
import { createRoot } from 'react-dom/client';

const { dashboard, results, from, to } = window.drawn;
const theme = createTheme({ colors: { mode: 'light' } });
const [COLUMNS, CELL, GAP, PADDING] = [24, 30, 8, 8];
const width = window.innerWidth - 2 * GAP;
const timeRange = { from: dateTime(from), to: dateTime(to), raw: { from: dateTime(from), to: dateTime(to) } };

const named = (format, labels) => format.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => labels[label] ?? '');

/** One frame for each series, as the Prometheus data source makes them. */
function framesOf(panel) {
  const plain = (results[panel.id] ?? []).flatMap(({ legend, series }) =>
    series.map(({ metric, values }) =>
      toDataFrame({
        fields: [
          { name: 'Time', type: FieldType.time, values: values.map(([at]) => at * 1000), config: {} },
          {
            name: 'Value',
            type: FieldType.number,
            values: values.map(([, value]) => (Number.isFinite(Number(value)) ? Number(value) : null)),
            labels: metric,
            config: { displayNameFromDS: named(legend, metric) },
          },
        ],
      }),
    ),
  );
  const { defaults, overrides } = panel.fieldConfig;
  return applyFieldOverrides({
    data: plain,
    fieldConfig: { defaults: { color: { mode: FieldColorModeId.PaletteClassic }, ...defaults }, overrides },
    replaceVariables: (text) => text,
    theme,
    timeZone: 'utc',
    fieldConfigRegistry: undefined,
  }).map((frame, index) => {
    for (const field of frame.fields) {
      if (field.type !== FieldType.number) continue;
      field.config = {
        ...defaults,
        ...field.config,
        custom: { ...defaults.custom, ...field.config.custom },
        color: panel.type === 'timeseries' ? { mode: FieldColorModeId.PaletteClassic } : { mode: 'thresholds' },
      };
      field.state = { ...field.state, seriesIndex: index };
      field.display = getDisplayProcessor({ field, theme, timeZone: 'utc' });
    }
    return frame;
  });
}

const last = (field) => field.values.filter((value) => value !== null).at(-1);

function content(panel, frames, inner) {
  const shown = frames.map(({ fields: [, field] }) => ({
    ...field.display(last(field)),
    title: field.config.displayNameFromDS,
    field,
  }));
  if (shown.length === 0) return h('div', { style: { color: theme.colors.text.secondary, padding: 8 } }, 'No data');
  switch (panel.type) {
    case 'stat': {
      const each = inner.width / shown.length;
      const { colorMode, graphMode, justifyMode, textMode } = panel.options;
      return shown.map((value, index) =>
        h(BigValue, { key: index, value, width: each, height: inner.height, theme, colorMode, graphMode, justifyMode, textMode }),
      );
    }
    case 'bargauge': {
      const height = Math.min(28, inner.height / shown.length);
      const values = shown.toSorted((a, b) => b.numeric - a.numeric);
      const most = Math.max(...values.map(({ numeric }) => numeric));
      return values.map((value, index) =>
        h(BarGauge, {
          key: index,
          value,
          width: inner.width,
          height: height - 3,
          theme,
          orientation: 'horizontal',
          displayMode: panel.options.displayMode,
          field: { ...value.field.config, min: 0, max: most },
          display: value.field.display,
          itemSpacing: 3,
          lcdCellWidth: 12,
          showUnfilled: true,
          text: { titleSize: 12, valueSize: 12 },
        }),
      );
    }
    default:
      return h(TimeSeries, {
        frames,
        timeRange,
        timeZone: 'utc',
        width: inner.width,
        height: inner.height,
        legend: { ...panel.options.legend, calcs: [] },
        tweakScale: (scale) => scale,
        tweakAxis: (axis) => axis,
        options: panel.options,
      });
  }
}

function place({ gridPos: { x, y, w, h: rows } }) {
  const column = (width + GAP) / COLUMNS;
  return {
    left: GAP + x * column,
    top: GAP + y * (CELL + GAP),
    width: w * column - GAP,
    height: rows * (CELL + GAP) - GAP,
  };
}

function Panel({ panel }) {
  const at = place(panel);
  const style = { position: 'absolute', ...at };
  if (panel.type === 'row') return h('h3', { style: { ...style, fontSize: 16, margin: 0, paddingTop: 6 } }, panel.title);
  const frames = framesOf(panel);
  return h(
    'div',
    { style },
    h(PanelChrome, { title: panel.title, width: at.width, height: at.height, padding: 'md' }, (innerWidth, innerHeight) =>
      h(
        'div',
        { style: { display: panel.type === 'stat' ? 'flex' : 'block' } },
        content(panel, frames, { width: innerWidth, height: innerHeight }),
      ),
    ),
  );
}

const bottom = Math.max(...dashboard.panels.map(({ gridPos: { y, h: rows } }) => y + rows));
createRoot(document.getElementById('page')).render(
  h(
    ThemeContext.Provider,
    { value: theme },
    h(GlobalStyles),
    h(
      'div',
      { style: { position: 'relative', height: bottom * (CELL + GAP) + GAP, background: theme.colors.background.canvas } },
      dashboard.panels.map((panel) => h(Panel, { key: panel.id, panel })),
    ),
  ),
);
