//! The layer that makes lines: what spans say is kept with them, and an event becomes a [`Line`].

use std::sync::Arc;

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::journal::{self, Journal};
use super::kept::{KeptLine, LogLines};
use super::line::{Line, SpanFields};
use super::output::{Output, Written};

/// Captures spans and events, keeps the lines and writes them.
///
/// `J` is a layer of the journal, if there is a journal. It hears of every span, whatever the
/// destination is at the time: it panics at an event inside a span that it does not know, and a
/// reload may turn it on while clients are connected. Of what is recorded later it hears nothing,
/// for it would keep the older values too (see [`journal`]).
#[derive(Debug)]
pub(super) struct LineLayer<J> {
    output: Arc<Output>,
    kept: LogLines,
    journal: Option<Journal<J>>,
}

impl<J> LineLayer<J> {
    pub(super) fn new(output: Arc<Output>, kept: LogLines, journal: Option<Journal<J>>) -> Self {
        Self {
            output,
            kept,
            journal,
        }
    }
}

impl<S, J> Layer<S> for LineLayer<J>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    J: Layer<S>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = SpanFields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
        if let Some(journal) = &self.journal {
            journal.spans().on_new_span(attributes, id, context);
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
        if self.output.write(&line) == Written::ToJournal
            && let Some(journal) = &self.journal
        {
            journal::forward(journal, event, &line, context);
        }
    }
}
