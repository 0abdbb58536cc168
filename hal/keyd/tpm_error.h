// A response code of the TPM, or of a layer on the way to it, as an Error with a plain sentence.
#pragma once

#include <cstdint>
#include <string_view>

#include "hal/error.h"

namespace hal::keyd {

class TpmError : public Error {
  public:
    TpmError(std::uint32_t responseCode, std::string_view call);

    // The connection, or what we left in the TPM, is lost: worth one more try on a new connection.
    bool lost() const noexcept { return lost_; }
    bool outOfSlots() const noexcept;
    bool absentHandle() const noexcept;
    bool wrongAuthorization() const noexcept;

  private:
    std::uint32_t responseCode_;
    bool lost_;
};

void checkTpm(std::uint32_t responseCode, std::string_view call);

}  // namespace hal::keyd
