//! Which services a camera has, and where.

use std::collections::HashMap;

use super::session::Session;
use super::target::Target;
use super::{Address, Question};
use crate::onvif::xml::Element;
use crate::onvif::{Failure, Service, Why};

/// Where each service is. As many as there are kinds at most.
pub type Services = HashMap<Service, Target>;

impl Session {
    /// Where `service` is; `None` where the camera does not have it. Asks the camera once.
    pub async fn service(&mut self, address: &Address, service: Service) -> Result<Option<Target>, Failure> {
        let device = self.greet(address).await?;
        if service == Service::Device {
            return Ok(Some(device));
        }
        if self.services.is_none() {
            self.services = Some(self.ask_for_services(address, &device).await?);
        }
        let known = self.services.as_ref().and_then(|services| services.get(&service)).cloned();
        if known.is_some() || self.capable || service == Service::Media2 {
            return Ok(known);
        }
        // There are cameras that name their events in the older answer only.
        let more = match self.ask_for_capabilities(address, &device).await {
            Err(failure) if !is_about_question(&failure) => return Err(failure),
            more => more.unwrap_or_default(),
        };
        let found = more.get(&service).cloned();
        let services = self.services.get_or_insert_default();
        for (service, target) in more {
            services.entry(service).or_insert(target);
        }
        Ok(found)
    }

    /// `GetServices`, which alone tells of Media2; `GetCapabilities` where a camera is too old for it,
    /// or says nothing.
    async fn ask_for_services(&mut self, address: &Address, device: &Target) -> Result<Services, Failure> {
        let arguments = "<IncludeCapability>false</IncludeCapability>";
        let question = Question::new(Service::Device, "GetServices", arguments);
        let listed = match self.ask(address, device, &question).await {
            Ok(answer) => listed(&answer, address),
            Err(failure) if is_about_question(&failure) => Services::new(),
            Err(failure) => return Err(failure),
        };
        if listed.keys().any(|service| *service != Service::Device) {
            return Ok(listed);
        }
        self.ask_for_capabilities(address, device).await
    }

    async fn ask_for_capabilities(
        &mut self,
        address: &Address,
        device: &Target,
    ) -> Result<Services, Failure> {
        let question = Question::new(Service::Device, "GetCapabilities", "<Category>All</Category>");
        let answer = self.ask(address, device, &question).await;
        self.capable = answer.as_ref().map_or_else(is_about_question, |_| true);
        Ok(capable(&answer?, address))
    }
}

/// Whether the camera is there and lets us in, but does not know, or like, what it was asked.
fn is_about_question(failure: &Failure) -> bool {
    matches!(failure.why, Why::Refused | Why::Unsupported | Why::NotOnvif)
}

fn listed(answer: &Element, address: &Address) -> Services {
    let found = answer.all("Service").filter_map(|service| {
        let kind = kind(service.text_at(&["Namespace"])?)?;
        Some((kind, Target::of(service.text_at(&["XAddr"])?, &address.at)?))
    });
    found.collect()
}

/// Some cameras have the version wrong, `ver10/ptz` for one; of media there are two.
fn kind(namespace: &str) -> Option<Service> {
    let exact = Service::of(namespace.trim());
    exact.or_else(|| {
        let name = |namespace: &str| {
            let path = namespace.trim().split_once("/ver")?.1;
            Some(path.get(3..)?.to_ascii_lowercase())
        };
        let wanted = name(namespace)?;
        Service::ALL.into_iter().find(|service| {
            !matches!(service, Service::Media | Service::Media2)
                && name(service.namespace()).is_some_and(|known| known == wanted)
        })
    })
}

fn capable(answer: &Element, address: &Address) -> Services {
    let kinds = [
        (Service::Media, "Media"),
        (Service::Ptz, "PTZ"),
        (Service::Imaging, "Imaging"),
        (Service::Events, "Events"),
        (Service::DeviceIo, "DeviceIO"),
        (Service::Recording, "Recording"),
        (Service::Search, "Search"),
        (Service::Replay, "Replay"),
    ];
    let Some(capabilities) = answer.child("Capabilities") else { return Services::new() };
    let found = kinds.into_iter().filter_map(|(service, name)| {
        let direct = capabilities.text_at(&[name, "XAddr"]);
        let at = direct.or_else(|| capabilities.text_at(&["Extension", name, "XAddr"]))?;
        Some((service, Target::of(at, &address.at)?))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_versions_are_understood_but_for_media() {
        assert_eq!(kind("http://www.onvif.org/ver20/ptz/wsdl"), Some(Service::Ptz));
        assert_eq!(kind("http://www.onvif.org/ver10/ptz/wsdl"), Some(Service::Ptz));
        assert_eq!(kind("http://www.onvif.org/ver10/deviceio/wsdl"), Some(Service::DeviceIo));
        assert_eq!(kind("http://www.onvif.org/ver20/media/wsdl"), Some(Service::Media2));
        assert_eq!(kind("http://www.onvif.org/ver30/media/wsdl"), None);
        assert_eq!(kind("http://www.example.com/ver"), None);
        assert_eq!(kind("http://www.onvif.org/veré/ptz"), None);
    }
}
