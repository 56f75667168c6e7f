//! One operation as it is asked for.

use crate::onvif::{Service, soap};

/// What is asked. `to` is the address of a subscription as the camera wrote it, else empty; `headers` are
/// the reference parameters of that address, as XML.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    pub service: Service,
    pub operation: &'a str,
    pub arguments: &'a str,
    pub to: &'a str,
    pub headers: &'a str,
}

impl<'a> Question<'a> {
    pub fn new(service: Service, operation: &'a str, arguments: &'a str) -> Self {
        Self { service, operation, arguments, to: "", headers: "" }
    }

    /// The envelope, with these headers before our own.
    pub fn envelope(&self, security: &str) -> String {
        let addressed = match self.service {
            Service::Events => soap::addressing(&self.action(), self.to),
            _ => String::new(),
        };
        let header = format!("{security}{addressed}{}", self.headers);
        soap::request(self.namespace(), self.operation, &header, self.arguments)
    }

    pub fn content_type(&self) -> String {
        format!("application/soap+xml; charset=utf-8; action=\"{}\"", self.action())
    }

    fn namespace(&self) -> &'static str {
        if self.is_of_notification() {
            "http://docs.oasis-open.org/wsn/b-2"
        } else {
            self.service.namespace()
        }
    }

    /// Operations of subscriptions that ONVIF took over from WS-BaseNotification (ONVIF Core 9.1).
    fn is_of_notification(&self) -> bool {
        self.service == Service::Events && matches!(self.operation, "Subscribe" | "Renew" | "Unsubscribe")
    }

    /// As the service's WSDL has it.
    fn action(&self) -> String {
        let (namespace, operation) = (self.service.namespace(), self.operation);
        match (self.service, operation) {
            (Service::Events, "Renew" | "Unsubscribe") => {
                format!("http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/{operation}Request")
            }
            (Service::Events, "Subscribe") => {
                "http://docs.oasis-open.org/wsn/bw-2/NotificationProducer/SubscribeRequest".into()
            }
            (Service::Events, "PullMessages" | "SetSynchronizationPoint" | "Seek") => {
                format!("{namespace}/PullPointSubscription/{operation}Request")
            }
            (Service::Events, _) => format!("{namespace}/EventPortType/{operation}Request"),
            (Service::DeviceIo, _) => format!("http://www.onvif.org/ver10/deviceio/wsdl/{operation}"),
            _ => format!("{namespace}/{operation}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_that_all_cameras_take() {
        let question = Question::new(Service::Media, "GetProfile", "<ProfileToken>1</ProfileToken>");
        let text = question.envelope("<x/>");
        let body = "<s:Body xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
                    xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\">\
                    <GetProfile xmlns=\"http://www.onvif.org/ver10/media/wsdl\"";
        assert!(text.contains(body), "{text}");
        assert!(text.contains("<s:Header><x/></s:Header>"), "{text}");
        assert!(
            question
                .content_type()
                .ends_with("; action=\"http://www.onvif.org/ver10/media/wsdl/GetProfile\"")
        );
    }

    #[test]
    fn subscriptions_are_addressed() {
        let question = Question { to: "http://a/?s=1&t=2", ..Question::new(Service::Events, "Renew", "") };
        let text = question.envelope("");
        assert!(text.contains("<Renew xmlns=\"http://docs.oasis-open.org/wsn/b-2\""), "{text}");
        assert!(text.contains(">http://a/?s=1&amp;t=2</wsa:To>"), "{text}");
        assert!(text.contains("SubscriptionManager/RenewRequest</wsa:Action>"), "{text}");
        let first = Question::new(Service::Events, "CreatePullPointSubscription", "").envelope("");
        assert!(first.contains("EventPortType/CreatePullPointSubscriptionRequest"), "{first}");
        assert!(!first.contains("wsa:To"), "{first}");
    }
}
