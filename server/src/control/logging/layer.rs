//! The layer that makes lines: what spans say is kept with them, and an event becomes a [`Line`].

use std::sync::Arc;

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::kept::{KeptLine, LogLines};
use super::line::{Line, SpanFields};
use super::output::Output;
use super::queue::Entry;

/// Captures spans and events, keeps the lines and has them written.
#[derive(Debug)]
pub(super) struct LineLayer {
    output: Arc<Output>,
    kept: LogLines,
}

impl LineLayer {
    pub(super) fn new(output: Arc<Output>, kept: LogLines) -> Self {
        Self { output, kept }
    }
}

impl<S> Layer<S> for LineLayer
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = SpanFields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut newer = SpanFields::default();
        values.record(&mut newer);
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<SpanFields>()
        {
            fields.update(newer);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = Line::of_event(event);
        for span in context
            .event_scope(event)
            .into_iter()
            .flat_map(|scope| scope.from_root())
        {
            if let Some(fields) = span.extensions().get::<SpanFields>() {
                line.add_span(fields);
            }
        }
        // Before it is written, so that whoever has seen it there finds it here.
        KeptLine::of(&line).push_to(&self.kept);
        self.output.write(Entry::new(event.metadata(), line));
    }
}
