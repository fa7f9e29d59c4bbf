#include "dcmtk/config/osconfig.h"  // first, as DCMTK demands

#include "Decoders.hpp"

#include "dcmtk/dcmdata/dctk.h"
#include "dcmtk/dcmdata/dcrledrg.h"
#include "dcmtk/dcmjpeg/djdecode.h"
#include "dcmtk/dcmjpls/djdecode.h"
#include "dcmtk/oflog/appender.h"
#include "dcmtk/oflog/oflog.h"
#include "dcmtk/oflog/spi/logevent.h"

thread_local std::string complaint;

namespace {

/// Keeps the first complaint of the decoders, which would otherwise go to the terminal.
class ComplaintAppender : public dcmtk::log4cplus::Appender {
 public:
  ~ComplaintAppender() override { destructorImpl(); }
  void close() override { closed = true; }

 protected:
  void append(const dcmtk::log4cplus::spi::InternalLoggingEvent &event) override {
    const std::string text(event.getMessage().c_str());
    for (const char *harmless : harmlessComplaints) {
      if (text.find(harmless) != std::string::npos) return;
    }
    if (complaint.empty()) complaint = text;
  }

 private:
  /// Warnings that do not concern the pixel values.
  static constexpr const char *harmlessComplaints[] = {
      "unknown JFIF revision", "Unknown Adobe color transform",
      "Invalid SOS parameters for sequential JPEG", "planar configuration", "color model",
      "PhotometricInterpretation"};
};

}  // namespace

bool prepareDecoders() {
  static const bool dictionary = [] {
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    for (const char *name : {"dcmtk.dcmjpeg", "dcmtk.dcmjpls"}) {
      OFLogger logger = OFLog::getLogger(name);
      logger.setLogLevel(OFLogger::WARN_LOG_LEVEL);
      logger.setAdditivity(false);
      logger.addAppender(dcmtk::log4cplus::SharedAppenderPtr(new ComplaintAppender));
    }
    // Standard attributes written as UN have the VR of the dictionary, also the pixel data.
    dcmEnableUnknownVRConversion.set(OFTrue);
    // The group of the meta header ends where another group begins, whatever length it states.
    dcmIgnoreFileMetaInformationGroupLength.set(OFTrue);
    DJDecoderRegistration::registerCodecs();
    DJLSDecoderRegistration::registerCodecs();
    DcmRLEDecoderRegistration::registerCodecs();
    return static_cast<bool>(dcmDataDict.isDictionaryLoaded());
  }();
  return dictionary;
}
